package source_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/chart/source"
)

const copying = `#!/bin/sh
# CERT KEY CA URL
if [ "$4" = "${4#*broken}" ]; then :; else echo "the store is closed" >&2; exit 4; fi
echo "$HELM_PLUGIN_NAME $HELM_PLUGIN_USERNAME $1 $2 $3 $4 $HELM_REPOSITORY_CONFIG $EXTRA" >> "$HELM_PLUGIN_DIR/log"
cat "$SHELF/${4##*/}"
`

func TestGetterPlugins(t *testing.T) {
	dir := shelf(t, "web@1.0.0", "web@1.2.0")
	put(t, filepath.Join(dir, "values.yaml"), "mode: fast\n", 0o600)
	t.Setenv("SHELF", dir)
	c := home(t)
	c.PluginEnv = map[string]string{"EXTRA": "more"}
	older := filepath.Join(c.PluginFolders[0], "older")
	newer := filepath.Join(c.PluginFolders[0], "newer")
	put(t, filepath.Join(older, "plugin.yaml"), "name: older\nversion: 0.1.0\ncommand: x\ndownloaders: [{command: fetch.sh, protocols: [old, older]}]\n", 0o600)
	put(t, filepath.Join(newer, "plugin.yaml"), `apiVersion: v1
type: getter/v1
name: newer
version: 0.1.0
runtime: subprocess
config: {protocols: [s3]}
runtimeConfig:
  protocolCommands:
    - protocols: [s3]
      platformCommand: [{command: fetch.sh}]
`, 0o600)
	put(t, filepath.Join(c.PluginFolders[0], "wasm", "plugin.yaml"), "apiVersion: v1\ntype: getter/v1\nname: wasm\nversion: 0.1.0\nruntime: extism/v1\nconfig: {protocols: [wasm]}\n", 0o600)
	for _, plugin := range []string{older, newer} {
		put(t, filepath.Join(plugin, "fetch.sh"), copying, 0o700)
	}
	for _, scheme := range []string{"old", "s3"} {
		t.Run(scheme, func(t *testing.T) {
			request := source.Request{RepoURL: scheme + "://bucket/charts", Version: "^1", Access: source.Access{Username: "me", Password: "s3cret", CAFile: "ca.pem"}}
			found, err := c.Find(t.Context(), "web", request)
			if err != nil || content(t, found.Path) != content(t, filepath.Join(dir, "web-1.2.0.tgz")) {
				t.Errorf("--repo: %v", err)
			}
			if found, err = c.Find(t.Context(), scheme+"://bucket/web-1.0.0.tgz", source.Request{}); err != nil || content(t, found.Path) != content(t, filepath.Join(dir, "web-1.0.0.tgz")) {
				t.Errorf("URL: %v", err)
			}
			if !c.Handles(scheme) {
				t.Error("values are not taken from it")
			}
			if data, err := c.Fetch(t.Context(), scheme+"://bucket/values.yaml"); err != nil || string(data) != "mode: fast\n" {
				t.Errorf("values: %q, %v", data, err)
			}
		})
	}
	if got, want := content(t, filepath.Join(newer, "log")), "newer me   ca.pem s3://bucket/charts/index.yaml "+c.RepositoryConfig+" more\n"; !strings.HasPrefix(got, want) {
		t.Errorf("the plugin got %q, not %q", got, want)
	}
	_, err := c.Find(t.Context(), "s3://bucket/broken.tgz", source.Request{})
	wantProblem(t, err, "the plugin newer did not fetch s3://bucket/broken.tgz", "the store is closed")
	_, err = c.Find(t.Context(), "wasm://bucket/web.tgz", source.Request{})
	wantProblem(t, err, "needs the runtime extism/v1")
	if c.Handles("nothing") || c.Handles("") || c.Handles("file") {
		t.Error("these are read by nobody")
	}
}
