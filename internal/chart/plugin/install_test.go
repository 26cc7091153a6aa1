package plugin

import (
	"os"
	"path/filepath"
	"testing"
)

// put writes a file below a folder.
func put(t *testing.T, text string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func there(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

// TestUninstall removes the plugin and what it came from, and nothing that only
// the plugin's own words lead to.
func TestUninstall(t *testing.T) {
	dir := t.TempDir()
	plugins := filepath.Join(dir, "plugins")
	put(t, "name: good\nversion: 1.0.0\ncommand: x\n", plugins, "good", manifestName)
	archive := put(t, "", plugins, "good-1.0.0.tgz")
	put(t, "name: sly\nversion: 1/../../backup\ncommand: x\n", plugins, "sly", manifestName)
	backup := put(t, "", dir, "backup.tgz", "content")
	foreign := put(t, "spec: {}\n", plugins, "foreign", manifestName)
	put(t, "name: linked\nversion: 1.0.0\ncommand: x\n", dir, "elsewhere", manifestName)
	if _, err := Install(t.Context(), plugins, filepath.Join(dir, "elsewhere"), Streams{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"good", "sly", "linked"} {
		if err := Uninstall(t.Context(), []string{plugins}, name, Streams{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Uninstall(t.Context(), []string{plugins}, "", Streams{}); err == nil {
		t.Error("a plugin without a name was removed")
	}
	for _, gone := range []string{filepath.Join(plugins, "good"), archive, filepath.Join(plugins, "sly"), filepath.Join(plugins, "elsewhere")} {
		if there(gone) {
			t.Errorf("%s is still there", gone)
		}
	}
	for _, kept := range []string{backup, foreign, filepath.Join(dir, "elsewhere", manifestName)} {
		if !there(kept) {
			t.Errorf("%s is gone", kept)
		}
	}
}
