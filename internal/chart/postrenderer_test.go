package chart

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeFile makes an executable script or another file.
func writeFile(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPostRendererByPath(t *testing.T) {
	script := writeFile(t, filepath.Join(t.TempDir(), "add.sh"), "#!/bin/sh\ncat\necho \"# $*\"\n", 0o700)
	post, err := PostRenderer{Name: script, Args: []string{"a b", "c"}}.Find()
	if err != nil {
		t.Fatal(err)
	}
	got, err := post(t.Context(), "kind: A\n")
	if err != nil || got != "kind: A\n# a b c\n" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestPostRendererPlugin(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("COLOUR", "red")
	writeFile(t, filepath.Join(folder, "broken", "plugin.yaml"), "name: [", 0o600)
	writeFile(t, filepath.Join(folder, "cli", "plugin.yaml"), "apiVersion: v1\nname: add\ntype: cli/v1\n", 0o600)
	writeFile(t, filepath.Join(folder, "post", "plugin.yaml"), `apiVersion: v1
type: postrenderer/v1
name: add
version: 1.0.0
runtime: subprocess
runtimeConfig:
  platformCommand:
    - {command: false}
    - {os: plan9, arch: mips, command: false}
    - {os: linux, command: "${HELM_PLUGIN_DIR}/add.sh", args: ["$COLOUR", "${HELM_PLUGIN_NAME}"]}
`, 0o600)
	writeFile(t, filepath.Join(folder, "post", "add.sh"), "#!/bin/sh\ncat\necho \"# $HELM_PLUGIN_NAME $*\"\n", 0o700)
	post, err := PostRenderer{Name: "add", Args: []string{"last"}, PluginFolders: []string{t.TempDir(), folder}}.Find()
	if err != nil {
		t.Fatal(err)
	}
	got, err := post(t.Context(), "kind: A\n")
	if err != nil || got != "kind: A\n# add red add last\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := (PostRenderer{Name: "broken", PluginFolders: []string{folder}}).Find(); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("broken plugin: %v", err)
	}
}

func TestPostRendererThatCannotRun(t *testing.T) {
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "wasm", "plugin.yaml"), "name: wasm\ntype: postrenderer/v1\nruntime: extism/v1\n", 0o600)
	writeFile(t, filepath.Join(folder, "empty", "plugin.yaml"), "name: empty\ntype: postrenderer/v1\nruntime: subprocess\n", 0o600)
	for name, want := range map[string]string{"wasm": "runtime extism/v1", "empty": "no command for", "missing": "no post-renderer missing"} {
		_, err := PostRenderer{Name: name, PluginFolders: []string{folder}}.Find()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", name, err, want)
		}
	}
}

func TestPostRendererThatFails(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ script, want string }{
		"exit":    {"#!/bin/sh\necho no such overlay >&2\nexit 3\n", "no such overlay"},
		"nothing": {"#!/bin/sh\ncat >/dev/null\n", "wrote nothing"},
	} {
		post, err := PostRenderer{Name: writeFile(t, filepath.Join(dir, name), c.script, 0o700)}.Find()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = post(t.Context(), "kind: A\n"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
	post, err := PostRenderer{Name: writeFile(t, filepath.Join(dir, "slow"), "#!/bin/sh\nexec sleep 60\n", 0o700)}.Find()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := post(ctx, "kind: A\n"); err == nil || ctx.Err() == nil {
		t.Errorf("a post-renderer outlives its context: %v", err)
	}
}
