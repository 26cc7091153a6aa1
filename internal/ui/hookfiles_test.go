package ui

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestHookLogFiles: hooks have files of their own, and one that runs twice, in
// an upgrade and in the rollback after it, has two.
func TestHookLogFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	files, err := NewHookLogFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	job := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"name": "migrate", "namespace": "shop"},
	}}
	say := func(id string, e release.Event, text string) {
		files.Sink(event.StepStarted{Step: plan.Step{ID: id, Action: plan.RunHook{Event: e, Object: job, Hook: &release.Hook{Name: "migrate"}}}})
		files.Sink(event.LogLine{StepID: id, Hook: "migrate", Pod: "migrate-1", Container: "main", Line: ledger.Line{Time: start, Text: text}})
	}
	say("a", release.PreUpgrade, "one")
	say("b", release.PreUpgrade, "two")
	say("c", release.PreUpgrade, "three")
	say("d", release.PostUpgrade, "four")
	if _, err := files.Close(); err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	var got []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(string(text))
		got = append(got, filepath.Base(path)+" "+words[len(words)-1])
	}
	slices.Sort(got)
	if len(got) != 4 || got[0] != "post-upgrade.migrate.log four" || !slices.Contains(got, "pre-upgrade.migrate.log one") {
		t.Errorf("the files are %q", got)
	}
}
