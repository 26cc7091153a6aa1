// Package plugin reads the plugins that Helm has installed and prepares their
// commands: commands of Helm's own, post-renderers, and getters, which fetch charts, indexes and values
// files of URL schemes of their own. Both forms of plugin.yaml are read: that
// of Helm 4 (apiVersion v1) and the older one, whose `downloaders` are getters.
//
// Only plugins that are programs of their own (the runtime subprocess) can be
// run; those for WebAssembly are named in the error. A folder can be made a
// plugin; fetching, verifying and updating plugins is left to Helm.
package plugin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/helmpath"
	"sigs.k8s.io/yaml"
)

// The types of plugins that are used here.
const (
	PostRenderer = "postrenderer/v1"
	Getter       = "getter/v1"
	// CLI is a plugin that is a command of Helm's.
	CLI = "cli/v1"
)

// manifestName is the file that makes a folder a plugin.
const manifestName = "plugin.yaml"

// subprocess is the runtime of plugins that are programs.
const subprocess = "subprocess"

// Plugin is an installed plugin.
type Plugin struct {
	Name, Version string
	// Form is the apiVersion of its plugin.yaml; "legacy" for the older form.
	Form string
	// Source is where it came from, if it says so.
	Source string
	// Verb is the command's name, which need not be the plugin's.
	Verb string
	// Usage is a line about what a command does.
	Usage string
	// IgnoreFlags has a command run without flags, whatever was given.
	IgnoreFlags bool
	// Type is PostRenderer, Getter or one that is of no use here.
	Type string
	// Runtime is what it needs to be run by.
	Runtime string
	// Folder is where it is installed.
	Folder string
	// Protocols are the URL schemes that a getter fetches.
	Protocols []string

	commands []platformCommand
	// hooks are commands by event; literal ones are not expanded by us.
	hooks        map[string][]platformCommand
	literalHooks bool
	protocols    []protocolCommand
}

// platformCommand is a plugin's command for one system; empty fields fit all.
type platformCommand struct {
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	Command string   `json:"command"`
	Args    []string `json:"args"`
}

// protocolCommand is what fetches URLs of some schemes.
type protocolCommand struct {
	Protocols       []string          `json:"protocols"`
	PlatformCommand []platformCommand `json:"platformCommand"`
}

// Folders are where Helm keeps plugins: the folders of $HELM_PLUGINS, whose
// text is the argument, else the one of Helm's data folder.
func Folders(variable string) []string {
	if variable == "" {
		return []string{helmpath.DataPath("plugins")}
	}
	return filepath.SplitList(variable)
}

// Find returns the first plugin of a type for which fits is true, nil where
// there is none. One that cannot be read is an error when its folder has the
// name that is asked for (name may be empty); other broken ones do not matter.
func Find(folders []string, wanted, name string, fits func(*Plugin) bool) (*Plugin, error) {
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*", manifestName))
		if err != nil {
			return nil, fmt.Errorf("looking for plugins in %s: %w", folder, err)
		}
		for _, file := range files {
			found, err := read(file)
			if err != nil {
				if name != "" && filepath.Base(filepath.Dir(file)) == name {
					return nil, diag.Problem{Summary: "the plugin " + name + " cannot be read", Detail: err.Error(), File: file}
				}
				continue
			}
			if found.Type == wanted && fits(found) {
				return found, nil
			}
		}
	}
	return nil, nil
}

// All are the plugins of all folders that can be read, folder by folder and by name.
func All(folders []string) []*Plugin {
	var all []*Plugin
	for _, folder := range folders {
		files, _ := filepath.Glob(filepath.Join(folder, "*", manifestName)) // a folder without plugins is none
		for _, file := range files {
			if found, err := read(file); err == nil {
				all = append(all, found)
			}
		}
	}
	return all
}

// manifest is the part of a plugin.yaml that matters here, in both forms.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Runtime    string `json:"runtime"`
	Version    string `json:"version"`
	SourceURL  string `json:"sourceURL"`
	Config     struct {
		Protocols   []string `json:"protocols"`
		ShortHelp   string   `json:"shortHelp"`
		Usage       string   `json:"usage"`
		IgnoreFlags bool     `json:"ignoreFlags"`
	} `json:"config"`
	RuntimeConfig struct {
		PlatformCommand  []platformCommand            `json:"platformCommand"`
		ProtocolCommands []protocolCommand            `json:"protocolCommands"`
		PlatformHooks    map[string][]platformCommand `json:"platformHooks"`
	} `json:"runtimeConfig"`
	// These are the command of the older form.
	Usage           string                       `json:"usage"`
	Command         string                       `json:"command"`
	PlatformCommand []platformCommand            `json:"platformCommand"`
	IgnoreFlags     bool                         `json:"ignoreFlags"`
	PlatformHooks   map[string][]platformCommand `json:"platformHooks"`
	Hooks           map[string]string            `json:"hooks"`
	// Downloaders are the getters of the older form.
	Downloaders []struct {
		Protocols []string `json:"protocols"`
		Command   string   `json:"command"`
	} `json:"downloaders"`
}

func read(file string) (*Plugin, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := yaml.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	if !isName(m.Name) {
		return nil, fmt.Errorf("invalid plugin name %q", m.Name) // Helm's words
	}
	p := &Plugin{
		Name: m.Name, Version: m.Version, Form: m.APIVersion, Source: m.SourceURL, Type: m.Type, Runtime: m.Runtime, Folder: filepath.Dir(file), Protocols: m.Config.Protocols,
		Usage: m.Config.ShortHelp, IgnoreFlags: m.Config.IgnoreFlags,
		commands: m.RuntimeConfig.PlatformCommand, protocols: m.RuntimeConfig.ProtocolCommands,
		hooks: m.RuntimeConfig.PlatformHooks, literalHooks: true,
	}
	if p.Verb, _, _ = strings.Cut(m.Config.Usage, " "); p.Verb == "" {
		p.Verb = m.Name
	}
	if m.APIVersion == "" && m.Type == "" {
		p.older(m)
	}
	return p, nil
}

// isName tells what Helm takes as the name of a plugin: letters, digits, _ and -.
func isName(name string) bool {
	const others = "_-"
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(others, r)
	})
}

// older fills in what the older form of plugin.yaml says in another way.
func (p *Plugin) older(m manifest) {
	p.Runtime, p.Type, p.Form, p.Usage, p.IgnoreFlags = subprocess, CLI, "legacy", m.Usage, m.IgnoreFlags
	if p.commands = m.PlatformCommand; m.Command != "" {
		p.commands = append(p.commands, platformCommand{Command: m.Command})
	}
	p.hooks, p.literalHooks = m.PlatformHooks, len(m.Hooks) > 0
	for event, script := range m.Hooks {
		if p.hooks == nil {
			p.hooks = map[string][]platformCommand{}
		}
		p.hooks[event] = []platformCommand{{Command: "sh", Args: []string{"-c", script}}}
	}
	for _, d := range m.Downloaders {
		p.Type = Getter
		p.Protocols = append(p.Protocols, d.Protocols...)
		p.protocols = append(p.protocols, protocolCommand{Protocols: d.Protocols, PlatformCommand: []platformCommand{{Command: d.Command}}})
	}
}
