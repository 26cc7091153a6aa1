package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/helmpath"
)

// The events for which a plugin may have a command of its own.
const (
	onInstall = "install"
	onDelete  = "delete"
)

// Install makes a folder a plugin as Helm does: by a link in the folder where
// plugins are kept, after which the plugin's own command for that runs.
func Install(ctx context.Context, plugins, folder string, streams Streams) (*Plugin, error) {
	source, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("finding the plugin %s: %w", folder, err)
	}
	if _, err := os.Stat(filepath.Join(source, manifestName)); err != nil {
		return nil, diag.Problem{Summary: "plugin metadata (plugin.yaml) missing", Detail: err.Error()}
	}
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of plugins: %w", err)
	}
	link := filepath.Join(plugins, filepath.Base(source))
	switch err := os.Symlink(source, link); {
	case errors.Is(err, fs.ErrExist):
		return nil, diag.Problem{Summary: "plugin already exists", Detail: link}
	case err != nil:
		return nil, fmt.Errorf("installing the plugin: %w", err)
	}
	p, err := read(filepath.Join(link, manifestName))
	if err != nil {
		return nil, diag.Problem{Summary: "plugin is installed but unusable", Detail: err.Error(), File: filepath.Join(link, manifestName)}
	}
	return p, p.on(ctx, onInstall, streams)
}

// Uninstall removes a plugin, the archive that it came from and its signature,
// after which the plugin's own command for that runs.
func Uninstall(ctx context.Context, folders []string, name string, streams Streams) error {
	for _, p := range All(folders) {
		if p.Name != name {
			continue
		}
		if err := p.remove(); err != nil {
			return fmt.Errorf("removing the plugin %s: %w", name, err)
		}
		return p.on(ctx, onDelete, streams)
	}
	return diag.Problem{Summary: fmt.Sprintf("plugin: %s not found", name)}
}

// remove removes the plugin's folder, or the link to it, and the archive and
// signature beside it. The version is the plugin's own word: it may not name a
// file elsewhere.
func (p *Plugin) remove() error {
	if err := os.RemoveAll(p.Folder); err != nil {
		return err
	}
	archive := p.Name + "-" + p.Version + ".tgz"
	if p.Version == "" || filepath.Base(archive) != archive {
		return nil
	}
	for _, name := range []string{archive, archive + ".prov"} {
		if err := os.Remove(filepath.Join(filepath.Dir(p.Folder), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// on runs the plugin's own command for an event, if it has one.
func (p *Plugin) on(ctx context.Context, event string, streams Streams) error {
	if len(p.hooks[event]) == 0 {
		return nil
	}
	words, err := p.words(p.hooks[event])
	if err != nil {
		return err
	}
	own := p.variables()
	words[0] = expand(words[0], own)
	if !p.literalHooks {
		for i := range words {
			words[i] = expand(words[i], own)
		}
	}
	streams.In = nil
	code, err := Command{Path: words[0], Args: words[1:], Env: environment(own)}.Attach(ctx, streams)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d", code)
	}
	if err != nil {
		return diag.Problem{Summary: fmt.Sprintf("plugin %s hook for %q exited with error", event, p.Name), Detail: err.Error(), File: p.file()}
	}
	return nil
}

// Provenance is how much is known of where a plugin came from, in Helm's words.
// Signatures are not checked: of a plugin that has one it is "unknown".
func (p *Plugin) Provenance() string {
	kept := helmpath.DataPath("plugins")
	info, err := os.Lstat(filepath.Join(kept, p.Name))
	switch {
	case err != nil:
		return "unknown"
	case info.Mode()&fs.ModeSymlink != 0:
		return "local dev"
	}
	archive := filepath.Join(kept, p.Name+"-"+p.Version+".tgz")
	for _, path := range []string{archive, archive + ".prov"} {
		if _, err := os.Stat(path); err != nil {
			return "unsigned"
		}
	}
	return "unknown"
}
