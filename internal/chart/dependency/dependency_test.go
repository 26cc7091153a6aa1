package dependency_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/chart/dependency"
	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/chart/source/sourcetest"
	"github.com/pintle-dev/pintle/internal/diag"
)

// parent is a manager of a chart with these dependencies, and what it is told.
func parent(t *testing.T, dependencies string) (*dependency.Manager, *bytes.Buffer) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	dir, told := t.TempDir(), &bytes.Buffer{}
	put(t, filepath.Join(dir, "parent", "Chart.yaml"), "apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n"+dependencies)
	client := source.NewClient(source.Settings{
		RepositoryConfig: filepath.Join(dir, "repositories.yaml"), RepositoryCache: filepath.Join(dir, "cache"),
		RegistryConfig: filepath.Join(dir, "registry.json"), ContentCache: filepath.Join(dir, "content"),
	})
	client.Pause = time.Millisecond
	return &dependency.Manager{Client: client, Folder: filepath.Join(dir, "parent"), Out: told}, told
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func shelf(t *testing.T, versions ...string) *sourcetest.Server {
	t.Helper()
	dir := t.TempDir()
	for _, v := range versions {
		sourcetest.Chart(t, dir, "db", v, nil)
	}
	if err := source.IndexFolder(dir, source.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	return sourcetest.Repository(t, dir, sourcetest.Options{})
}

// charts are the files in charts/.
func charts(t *testing.T, m *dependency.Manager) []string {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(m.Folder, "charts"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestUpdateThenBuild(t *testing.T) {
	server := shelf(t, "1.0.0", "1.2.0", "2.0.0")
	m, told := parent(t, fmt.Sprintf("- {name: db, version: ^1, repository: '@shop'}\n- {name: db, alias: other, version: ^2, repository: %s/}\n", server.URL))
	if _, err := m.Client.AddRepository(t.Context(), source.Repository{Name: "shop", URL: server.URL}, false); err != nil {
		t.Fatal(err)
	}
	sourcetest.Chart(t, filepath.Join(m.Folder, "charts"), "db", "0.9.0", nil) // from before
	if err := m.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"db-1.2.0.tgz", "db-2.0.0.tgz"}
	if got := charts(t, m); !slices.Equal(got, want) {
		t.Errorf("charts/ holds %v, told: %s", got, told)
	}
	lock, err := os.ReadFile(filepath.Join(m.Folder, "Chart.lock"))
	if err != nil || !strings.Contains(string(lock), "version: 1.2.0") || !strings.Contains(string(lock), "repository: "+server.URL) {
		t.Errorf("%s, %v", lock, err)
	}
	// The same again writes no other lock; building from it gives the same.
	if err := m.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(filepath.Join(m.Folder, "Chart.lock")); string(again) != string(lock) {
		t.Error("the lock was written again")
	}
	if err := os.RemoveAll(filepath.Join(m.Folder, "charts")); err != nil {
		t.Fatal(err)
	}
	if err := m.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := charts(t, m); !slices.Equal(got, want) {
		t.Errorf("built: %v", got)
	}
}

// TestFailuresLeaveChartsAlone is about what cannot be fetched: charts/ stays
// as it was, and no lock is written.
func TestFailuresLeaveChartsAlone(t *testing.T) {
	server := shelf(t, "1.0.0")
	for _, tt := range []struct {
		name, dependencies string
		words              []string
	}{
		{"no such version", fmt.Sprintf("- {name: db, version: ^9, repository: %s}\n", server.URL), []string{"dependency db ^9", "it has 1.0.0"}},
		{"no such chart", fmt.Sprintf("- {name: web, version: ^1, repository: %s}\n- {name: wob, version: ^1, repository: %s}\n", server.URL, server.URL), []string{`has no chart "web"`, `has no chart "wob"`}},
		{"no such repository", "- {name: db, version: ^1, repository: '@shop'}\n", []string{"no repository definition for @shop"}},
		{"a name that is no URL", "- {name: db, version: ^1, repository: shop}\n", []string{"no repository definition for shop", "@NAME"}},
		{"nobody there", "- {name: db, version: ^1, repository: http://127.0.0.1:1}\n", []string{"dependency db ^1: 127.0.0.1:1 cannot be reached"}},
		{"no such folder", "- {name: db, version: ^1, repository: file://../db}\n", []string{"not found"}},
		{"not a version", fmt.Sprintf("- {name: db, version: new, repository: %s}\n", server.URL), []string{`"new" is neither`}},
		{"not in charts", "- {name: db, version: ^1}\n", []string{"not found"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _ := parent(t, tt.dependencies)
			sourcetest.Chart(t, filepath.Join(m.Folder, "charts"), "db", "0.9.0", nil)
			err := m.Update(t.Context())
			if err == nil || diag.Problems(err) == nil {
				t.Fatalf("got %v", err)
			}
			for _, word := range tt.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q is not in: %v", word, err)
				}
			}
			if got := charts(t, m); !slices.Equal(got, []string{"db-0.9.0.tgz"}) {
				t.Errorf("charts/ holds %v", got)
			}
			if _, err := os.Stat(filepath.Join(m.Folder, "Chart.lock")); err == nil {
				t.Error("a lock was written")
			}
			if left, _ := filepath.Glob(filepath.Join(m.Folder, "tmpcharts-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestLockIsNoLink(t *testing.T) {
	server := shelf(t, "1.0.0")
	m, _ := parent(t, fmt.Sprintf("- {name: db, version: ^1, repository: %s}\n", server.URL))
	target := filepath.Join(t.TempDir(), "target")
	if err := os.Symlink(target, filepath.Join(m.Folder, "Chart.lock")); err != nil {
		t.Fatal(err)
	}
	if err := m.Update(t.Context()); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("the link was followed")
	}
}
