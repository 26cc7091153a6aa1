package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/chart/source/sourcetest"
	"github.com/pintle-dev/pintle/internal/diag"
)

// home is a client whose files are in a folder of the test.
func home(t *testing.T) *source.Client {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	dir := t.TempDir()
	c := source.NewClient(source.Settings{
		RepositoryConfig: filepath.Join(dir, "repositories.yaml"), RepositoryCache: filepath.Join(dir, "cache"),
		RegistryConfig: filepath.Join(dir, "registry.json"), ContentCache: filepath.Join(dir, "content"),
		PluginFolders: []string{filepath.Join(dir, "plugins")},
	})
	c.Pause = time.Millisecond
	return c
}

// shelf is a folder with charts and their index.
func shelf(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		chart, version, _ := strings.Cut(name, "@")
		sourcetest.Chart(t, dir, chart, version, nil)
	}
	if err := source.IndexFolder(dir, source.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func wantProblem(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("there is no error")
	}
	if diag.Problems(err) == nil {
		t.Errorf("not a problem that a user can fix: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in: %v", word, err)
		}
	}
}

// content is what a file holds, "" when it is not there.
func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// nothingKept checks that a failure has left nothing in the cache of charts.
func nothingKept(t *testing.T, c *source.Client) {
	t.Helper()
	if files, _ := filepath.Glob(filepath.Join(c.ContentCache, "*", "*")); len(files) > 0 {
		t.Errorf("the cache holds %v", files)
	}
}
