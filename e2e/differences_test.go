package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDifferencesNameTheirStories keeps docs/differences.md true in what it
// says of the stories: those that it names are there, and each story of a trap
// or of both tools taking turns is named.
func TestDifferencesNameTheirStories(t *testing.T) {
	page, err := os.ReadFile("../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`[a-z0-9_]+\.txtar`).FindAllString(string(page), -1)
	if len(named) < 20 {
		t.Fatalf("only %d stories are named", len(named))
	}
	for _, name := range named {
		if _, err := os.Stat(filepath.Join("scripts", name)); err != nil {
			t.Errorf("docs/differences.md names a story that is not there: %v", err)
		}
	}
	stories, err := filepath.Glob("scripts/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stories {
		name := filepath.Base(path)
		if (strings.HasPrefix(name, "trap_") || strings.HasPrefix(name, "mix_")) && !slices.Contains(named, name) {
			t.Errorf("docs/differences.md does not name %s", name)
		}
	}
}
