package object_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	helmutil "helm.sh/helm/v4/pkg/release/v1/util"

	"github.com/pintle-dev/pintle/internal/object"
)

func TestSplitKeepsOrderSourceAndLine(t *testing.T) {
	manifest := "---\n# Source: web/templates/a.yaml\nkind: A\n---\n\n\n# Source: web/templates/b.yaml\nkind: B\n---\n---   kind: C\n"
	want := []object.Document{
		{Source: "web/templates/a.yaml", Line: 2, Text: "# Source: web/templates/a.yaml\nkind: A\n"},
		{Source: "web/templates/b.yaml", Line: 7, Text: "# Source: web/templates/b.yaml\nkind: B\n"},
		{Line: 10, Text: "kind: C\n"},
	}
	if diff := cmp.Diff(want, object.Split(manifest)); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
	if got := object.Split(manifest)[0].Body(); got != "kind: A\n" {
		t.Errorf("body is %q", got)
	}
}

func TestSplitFileGivesEveryDocumentItsSource(t *testing.T) {
	docs := object.SplitFile("web/templates/x.yaml", "\n\nkind: A\n---\nkind: B")
	want := []object.Document{
		{Source: "web/templates/x.yaml", Line: 3, Text: "kind: A\n"},
		{Source: "web/templates/x.yaml", Line: 5, Text: "kind: B"},
	}
	if diff := cmp.Diff(want, docs); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

func TestRenderedDocumentsSplitAgain(t *testing.T) {
	docs := object.Split(object.Render("c/templates/a.yaml", "kind: A") + object.Render("c/templates/b.yaml", "kind: B"))
	if len(docs) != 2 || docs[0].Source != "c/templates/a.yaml" || docs[1].Source != "c/templates/b.yaml" {
		t.Fatalf("got %+v", docs)
	}
	if docs[1].Line != 5 {
		t.Errorf("second document starts on line %d, want 5", docs[1].Line)
	}
}

// splitSeeds are manifests whose splitting is easy to get wrong.
var splitSeeds = []string{
	"", "   \n\t\n", "---", "---\n---\n", "a: 1", "a: 1\n---", "  ---\na: 1\n",
	"a: 1\n--- \t\nb: 2\n", "a: 1\n---b: 2\n", "a: |\n  ---\n  x\n---\nb: 2",
	"------\n---\n", "a: 1\r\n---\r\nb: 2\r\n", "# only a comment\n---\n# another\n", "\n---\n\n---\n a: 1",
	"a: 1\n\n\n--- # comment\nb: 2\n---   ", "--- ---\na: 1", "\u00a0\u2003---\na: 1",
}

func TestSplitEqualsHelm(t *testing.T) {
	for _, text := range splitSeeds {
		compareWithHelm(t, text)
	}
}

func FuzzSplitEqualsHelm(f *testing.F) {
	for _, text := range splitSeeds {
		f.Add(text)
	}
	f.Fuzz(compareWithHelm)
}

func compareWithHelm(t *testing.T, text string) {
	theirs := helmutil.SplitManifests(text)
	var want []string
	for i := range len(theirs) {
		want = append(want, theirs[fmt.Sprintf("manifest-%d", i)])
	}
	var got []string
	for _, d := range object.Split(text) {
		got = append(got, d.Text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("splitting %q (-helm +ours):\n%s", text, diff)
	}
}
