package chart

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart/plugin"
	"github.com/pintle-dev/pintle/internal/diag"
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
func PluginFolders(variable string) []string { return plugin.Folders(variable) }

// Find looks the program up and returns what runs it. A plugin goes before a
// program of the same name. That there is neither is a diag.Problem.
func (p PostRenderer) Find() (PostRender, error) {
	found, err := plugin.Find(p.PluginFolders, plugin.PostRenderer, p.Name, func(f *plugin.Plugin) bool { return f.Name == p.Name })
	if err != nil {
		return nil, err
	}
	if found != nil {
		command, err := found.PostRender(p.Args)
		if err != nil {
			return nil, err
		}
		return program(command), nil
	}
	path, err := exec.LookPath(p.Name)
	if err != nil {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("there is no post-renderer %s", p.Name),
			Detail:  fmt.Sprintf("it is neither a plugin of type %s in %s nor a program: %v", plugin.PostRenderer, strings.Join(p.PluginFolders, ", "), err),
		}
	}
	return program(plugin.Command{Path: path, Args: p.Args, Env: os.Environ()}), nil
}

// program runs a program once per stream. It is killed when the context ends.
func program(command plugin.Command) PostRender {
	return func(ctx context.Context, manifests string) (string, error) {
		out, said, err := command.Run(ctx, manifests)
		name := filepath.Base(command.Path)
		switch {
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case err != nil:
			return "", diag.Problem{Summary: fmt.Sprintf("the post-renderer %s failed: %v", name, err), Detail: said}
		case strings.TrimSpace(out) == "":
			return "", diag.Problem{Summary: fmt.Sprintf("the post-renderer %s wrote nothing", name), Detail: said}
		}
		return out, nil
	}
}
