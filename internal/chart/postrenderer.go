package chart

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/helmpath"
	"sigs.k8s.io/yaml"
)

// PostRenderer names a program that changes what a chart renders to: it reads
// a stream of YAML and writes the one to use instead.
type PostRenderer struct {
	// Name is that of a Helm plugin of type postrenderer/v1, as in Helm 4, or
	// the path of a program or its name in the PATH, as in Helm 3.
	Name string
	// Args are handed to the program, after those that the plugin has.
	Args []string
	// PluginFolders are searched for plugins; see PluginFolders.
	PluginFolders []string
}

// PluginFolders are where Helm keeps plugins: the folders of $HELM_PLUGINS,
// whose text is the argument, else the one of Helm's data folder.
func PluginFolders(variable string) []string {
	if variable == "" {
		return []string{helmpath.DataPath("plugins")}
	}
	return filepath.SplitList(variable)
}

// Find looks the program up and returns what runs it. A plugin goes before a
// program of the same name. That there is neither is a diag.Problem.
func (p PostRenderer) Find() (PostRender, error) {
	plugin, err := findPlugin(p.Name, p.PluginFolders)
	if err != nil {
		return nil, err
	}
	if plugin != nil {
		return plugin.run(p.Args)
	}
	path, err := exec.LookPath(p.Name)
	if err != nil {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("there is no post-renderer %s", p.Name),
			Detail:  fmt.Sprintf("it is neither a plugin of type %s in %s nor a program: %v", postRendererType, strings.Join(p.PluginFolders, ", "), err),
		}
	}
	return program(path, p.Args, os.Environ()), nil
}

const postRendererType = "postrenderer/v1"

// plugin is the part of a plugin.yaml that running a post-renderer needs.
type plugin struct {
	Name          string `json:"name"`
	Type          string `json:"type"`
	Runtime       string `json:"runtime"`
	RuntimeConfig struct {
		PlatformCommand []platformCommand `json:"platformCommand"`
	} `json:"runtimeConfig"`

	folder string
}

// platformCommand is a plugin's command for one system; empty fields fit all.
type platformCommand struct {
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	Command string   `json:"command"`
	Args    []string `json:"args"`
}

// findPlugin is nil where there is no post-renderer of that name. A plugin of
// the name that cannot be read is an error; other broken ones do not matter.
func findPlugin(name string, folders []string) (*plugin, error) {
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*", "plugin.yaml"))
		if err != nil {
			return nil, fmt.Errorf("looking for plugins in %s: %w", folder, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			found := &plugin{folder: filepath.Dir(file)}
			if err := yaml.Unmarshal(data, found); err != nil {
				if filepath.Base(found.folder) == name {
					return nil, diag.Problem{Summary: "the plugin " + name + " cannot be read", Detail: err.Error(), File: file}
				}
				continue
			}
			if found.Name == name && found.Type == postRendererType {
				return found, nil
			}
		}
	}
	return nil, nil
}

// run prepares the plugin's command as Helm does: variables in it and in its
// own arguments are expanded, HELM_PLUGIN_DIR and HELM_PLUGIN_NAME included.
func (p *plugin) run(args []string) (PostRender, error) {
	if p.Runtime != "subprocess" {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("the plugin %s needs the runtime %s", p.Name, p.Runtime),
			Detail:  "post-renderers that are programs of their own (runtime subprocess) can be run", File: filepath.Join(p.folder, "plugin.yaml"),
		}
	}
	chosen := p.command()
	if chosen == nil || strings.TrimSpace(chosen.Command) == "" {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("the plugin %s has no command for %s/%s", p.Name, runtime.GOOS, runtime.GOARCH), File: filepath.Join(p.folder, "plugin.yaml"),
		}
	}
	own := map[string]string{"HELM_PLUGIN_DIR": p.folder, "HELM_PLUGIN_NAME": p.Name}
	expand := func(text string) string {
		return os.Expand(text, func(name string) string {
			if value, ok := own[name]; ok {
				return value
			}
			return os.Getenv(name)
		})
	}
	var words []string
	for _, word := range append(strings.Split(chosen.Command, " "), chosen.Args...) {
		words = append(words, expand(word))
	}
	env := append(os.Environ(), "HELM_PLUGIN_DIR="+p.folder, "HELM_PLUGIN_NAME="+p.Name)
	return program(words[0], append(words[1:], args...), env), nil
}

// command picks the command that fits this system best: system and machine,
// then system, then any.
func (p *plugin) command() *platformCommand {
	var best *platformCommand
	rank := 0
	for i, c := range p.RuntimeConfig.PlatformCommand {
		system, machine := strings.EqualFold(c.OS, runtime.GOOS), strings.EqualFold(c.Arch, runtime.GOARCH)
		fits := 0
		switch {
		case system && machine:
			fits = 3
		case system && c.Arch == "":
			fits = 2
		case c.OS == "" && c.Arch == "":
			fits = 1
		}
		if fits > rank {
			best, rank = &p.RuntimeConfig.PlatformCommand[i], fits
		}
	}
	return best
}

// program runs a program once per stream. It is killed when the context ends.
func program(path string, args, env []string) PostRender {
	return func(ctx context.Context, manifests string) (string, error) {
		cmd := exec.CommandContext(ctx, path, args...)
		var out, complaints bytes.Buffer
		cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, strings.NewReader(manifests), &out, &complaints
		// What the program has started itself may hold its output open.
		cmd.WaitDelay = time.Second
		err := cmd.Run()
		switch {
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case err != nil:
			return "", diag.Problem{Summary: fmt.Sprintf("the post-renderer %s failed: %v", filepath.Base(path), err), Detail: strings.TrimSpace(complaints.String())}
		case strings.TrimSpace(out.String()) == "":
			return "", diag.Problem{Summary: fmt.Sprintf("the post-renderer %s wrote nothing", filepath.Base(path)), Detail: strings.TrimSpace(complaints.String())}
		}
		return out.String(), nil
	}
}
