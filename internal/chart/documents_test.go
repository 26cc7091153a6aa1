package chart

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/release/v1/util"
)

func TestSplitKnowsLines(t *testing.T) {
	tests := []struct {
		name, content string
		want          []string // "line:first line"
	}{
		{"empty", "", nil},
		{"blank", " \n\n\t\n", nil},
		{"one", "kind: A\n", []string{"1:kind: A"}},
		{"leading lines", "\n\n  \nkind: A\n", []string{"4:kind: A"}},
		{"two", "kind: A\n---\nkind: B\n", []string{"1:kind: A", "3:kind: B"}},
		{"separator first", "---\nkind: A\n---\n\n# note\nkind: B\n", []string{"2:kind: A", "5:# note"}},
		{"empty between", "kind: A\n---\n---\n\n---\nkind: B\n", []string{"1:kind: A", "6:kind: B"}},
		{"text behind separator", "---apiVersion: v1\n---  # second\nkind: B\n", []string{"1:apiVersion: v1", "2:# second"}},
		{"longer line of dashes", "kind: A\n------\nkind: B\n", []string{"1:kind: A", "2:---"}},
		{"indented dashes", "data: |\n  ---\n  x\n", []string{"1:data: |"}},
		{"windows", "kind: A\r\n---\r\nkind: B\r\n", []string{"1:kind: A\r", "3:kind: B\r"}},
		{"separator at the end", "kind: A\n---", []string{"1:kind: A"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range split("x", tt.content) {
				first, _, _ := strings.Cut(d.Text, "\n")
				got = append(got, fmt.Sprintf("%d:%s", d.Line, first))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			assertSplitsAsHelm(t, tt.content)
		})
	}
}

// assertSplitsAsHelm compares texts with Helm's, and lines with the content.
func assertSplitsAsHelm(t *testing.T, content string) {
	t.Helper()
	docs, want := split("x", content), util.SplitManifests(content)
	if len(docs) != len(want) {
		t.Fatalf("Helm finds %d documents in %q, we %d", len(want), content, len(docs))
	}
	lines := strings.SplitAfter(content, "\n")
	for i, d := range docs {
		if helms := want[fmt.Sprintf("manifest-%d", i)]; helms != d.Text {
			t.Fatalf("document %d of %q: Helm has %q, we have %q", i, content, helms, d.Text)
		}
		first, _, _ := strings.Cut(d.Text, "\n")
		if d.Line < 1 || d.Line > len(lines) || !strings.Contains(lines[d.Line-1], first) {
			t.Fatalf("document %d of %q is not in line %d", i, content, d.Line)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", "---", "a\n---\nb", "\n \n--- \t\n---x\n----\n  --- ", "a\r\n---\r\nb"} {
		f.Add(seed)
	}
	f.Fuzz(assertSplitsAsHelm)
}

func TestSortOut(t *testing.T) {
	r := render(t, load(t, `
-- templates/a.yaml --
kind: Widget
metadata: {name: w}
---
kind: Service
metadata: {name: s}
---

kind: Job
metadata:
  name: migrate
  annotations: {helm.sh/hook: "pre-install, Pre-Upgrade", helm.sh/hook-weight: 5}
---
kind: Gadget
metadata:
  name: g
  annotations: {helm.sh/hook-delete-policy: hook-succeeded}
-- templates/b.yaml --
kind: ServiceAccount
metadata:
  name: sa
  annotations: {helm.sh/hook: pre-install}
---
kind: Pod
metadata:
  name: t
  annotations: {helm.sh/hook: test-success}
---
kind: Pod
metadata:
  name: lost
  annotations: {helm.sh/hook: "pre-install,pre-instal"}
---
kind: Namespace
metadata: {name: n}
-- templates/_partial.yaml --
kind: Never
-- templates/empty.yaml --
{{ if false }}kind: Never{{ end }}
`), nil)
	if diff := cmp.Diff([]string{
		"Namespace web/templates/b.yaml:16",
		"Service web/templates/a.yaml:4",
		"Gadget web/templates/a.yaml:13",
		"Widget web/templates/a.yaml:1",
	}, positions(r.Documents)); diff != "" {
		t.Errorf("ordinary documents (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"ServiceAccount web/templates/b.yaml:1",
		"Pod web/templates/b.yaml:6",
		"Job web/templates/a.yaml:8",
	}, positions(r.Hooks)); diff != "" {
		t.Errorf("hooks (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"Widget web/templates/a.yaml:1",
		"Service web/templates/a.yaml:4",
		"Job web/templates/a.yaml:8",
		"Gadget web/templates/a.yaml:13",
		"ServiceAccount web/templates/b.yaml:1",
		"Pod web/templates/b.yaml:6",
		"Pod web/templates/b.yaml:11",
		"Namespace web/templates/b.yaml:16",
	}, positions(r.Raw)); diff != "" {
		t.Errorf("raw documents (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(r.Manifest, "---\n# Source: web/templates/b.yaml\nkind: Namespace\nmetadata: {name: n}\n\n---\n# Source: web/templates/a.yaml\nkind: Service\n") {
		t.Errorf("manifest:\n%s", r.Manifest)
	}
}

func positions(docs []Document) []string {
	var out []string
	for _, d := range docs {
		out = append(out, fmt.Sprintf("%s %s:%d", d.head.Kind, d.Source, d.Line))
	}
	return out
}

// TestOutline has of each document what Object has.
func TestOutline(t *testing.T) {
	texts := []string{
		"apiVersion: v1\nkind: Job\nmetadata: {name: a, annotations: {x: 1, y: \"2\"}, labels: {z: null}}\nspec: {a: 1}\n", "# only this\n", "kind: [1]\nMetadata: {name: b}\n", "metadata: text\n",
	}
	for _, text := range texts {
		d := Document{Text: text}
		if err := d.readHead(); err != nil && d.json == nil {
			t.Fatal(err)
		}
		outline, err := d.Outline()
		object, objectErr := d.Object()
		if (err != nil) != (objectErr != nil) || (outline == nil) != (object == nil) {
			t.Fatalf("%q: an outline of %v, %v; the object is %v, %v", text, outline, err, object, objectErr)
		}
		for key, value := range outline {
			if !reflect.DeepEqual(value, object[key]) {
				t.Errorf("%q: %s is %v in the outline and %v in the object", text, key, value, object[key])
			}
		}
		if len(outline) > 3 {
			t.Errorf("%q: the outline is %v", text, outline)
		}
	}
}
