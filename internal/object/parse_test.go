package object_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pintle-dev/pintle/internal/object"
)

func TestParseNumbers(t *testing.T) {
	obj, err := object.Parse(object.Document{Line: 1, Text: "apiVersion: v1\nkind: X\nspec: {i: 3, big: 9007199254740993, f: 1.5, b: yes, port: '80', o: 0o17}\n"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"i": int64(3), "big": int64(9007199254740993), "f": 1.5, "b": true, "port": "80", "o": int64(15)}
	if diff := cmp.Diff(want, obj.Object["spec"]); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestParseErrorsCarryTheLine(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		line int
		says string
	}{
		"bad indent":    {"apiVersion: v1\nkind: X\n a: b: c\n", 12, "mapping"},
		"tab":           {"apiVersion: v1\nkind: X\n\tb: 1\n", 12, "character"},
		"no kind":       {"apiVersion: v1\n", 10, "no kind"},
		"no apiVersion": {"kind: X\n", 10, "no apiVersion"},
		"number kind":   {"apiVersion: v1\nkind: 5\n", 10, "kind must be text"},
		"scalar":        {"hello", 10, "not a mapping"},
		"sequence":      {"- a\n- b\n", 10, "not a mapping"},
		"bad metadata":  {"apiVersion: v1\nkind: X\nmetadata: [1]\n", 10, "metadata"},
		"duplicate key": {"apiVersion: v1\nkind: X\n? [1]\n: b\n", 10, "key"},
	} {
		_, err := object.Parse(object.Document{Source: "c/templates/a.yaml", Line: 10, Text: tc.text})
		var pe *object.ParseError
		if !errors.As(err, &pe) {
			t.Errorf("%s: no ParseError but %v", name, err)
			continue
		}
		if pe.Line != tc.line || pe.Source != "c/templates/a.yaml" || !strings.Contains(pe.Err.Error(), tc.says) {
			t.Errorf("%s: got %v, want line %d and %q", name, pe, tc.line, tc.says)
		}
		if strings.Contains(pe.Err.Error(), "yaml: line") {
			t.Errorf("%s: the message has a second line number: %v", name, pe)
		}
	}
}

func TestParseAllSkipsEmptyAndExpandsLists(t *testing.T) {
	manifest := `# only a comment
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: x}}
- apiVersion: v1
  kind: ServiceAccountList
  items: [{metadata: {name: b}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBindingList
items:
- metadata: {name: c}
---
null
---
{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
`
	parsed, err := object.ParseAll(object.Split(manifest))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range parsed {
		got = append(got, p.Ref().APIVersion()+" "+p.Ref().String())
	}
	want := []string{"v1 ConfigMap/x/a", "v1 ServiceAccount/b", "rbac.authorization.k8s.io/v1 RoleBinding/c", "apps/v1 Deployment/d"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestParseAllNamesTheBrokenListItem(t *testing.T) {
	_, err := object.ParseAll(object.Split("a: 1\n---\napiVersion: v1\nkind: List\nitems: [{kind: X}]\n")[1:])
	var pe *object.ParseError
	if !errors.As(err, &pe) || pe.Line != 3 || !strings.Contains(err.Error(), "item 0") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range append(splitSeeds, "apiVersion: v1\nkind: List\nitems: [{kind: X}]", "a: &a [*a]", "<<: 1", "kind: !!binary aGk=\napiVersion: v1") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := object.ParseAll(object.Split(text))
		if err != nil {
			var pe *object.ParseError
			if !errors.As(err, &pe) || pe.Line < 1 {
				t.Fatalf("%q: %v", text, err)
			}
		}
		for _, p := range parsed {
			if p.Object.GetKind() == "" {
				t.Fatalf("%q gave an object without a kind", text)
			}
			p.Object.DeepCopy() // panics on values that apimachinery does not know
		}
	})
}
