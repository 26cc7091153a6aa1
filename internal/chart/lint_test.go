package chart

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/util"
)

// helmsLint is what Helm's own rules say of a folder.
func helmsLint(folder string, values map[string]any) []string {
	var lines []string
	for _, m := range lint.RunAll(folder, values, "default").Messages {
		lines = append(lines, m.Error())
	}
	return lines
}

func ownLint(t *testing.T, path string, values map[string]any) []string {
	t.Helper()
	c, err := Open(path, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	messages, err := c.Lint(t.Context(), path, LintOptions{Values: values, Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		lines = append(lines, m.Text)
	}
	return lines
}

// TestLintIsHelms compares our rules with Helm's on real charts.
func TestLintIsHelms(t *testing.T) {
	for _, path := range publicCharts(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			folder := path
			if strings.HasSuffix(path, ".tgz") {
				dir := t.TempDir()
				if err := util.ExpandFile(dir, path); err != nil {
					t.Skip(err)
				}
				inside, err := os.ReadDir(dir)
				if err != nil || len(inside) != 1 {
					t.Skipf("%v, %v", inside, err)
				}
				folder = filepath.Join(dir, inside[0].Name())
			}
			got, want := ownLint(t, folder, nil), helmsLint(folder, nil)
			if !slices.Equal(got, want) {
				t.Errorf("we say\n  %s\nHelm says\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// TestLintRules compares them on charts that break one rule each.
func TestLintRules(t *testing.T) {
	const head = "-- Chart.yaml --\napiVersion: v2\nname: web\nicon: https://example.com/i.png\nversion: 1.0.0\n"
	object := func(text string) string { return head + "-- values.yaml --\n-- templates/a.yaml --\n" + text }
	for name, files := range map[string]string{
		"nothing else":     head,
		"no icon":          "-- Chart.yaml --\napiVersion: v2\nname: web\nversion: 1.0.0\n-- values.yaml --\n",
		"odd icon":         "-- Chart.yaml --\napiVersion: v2\nname: web\nversion: 1.0.0\nicon: pictures\n",
		"odd source":       head + "",
		"sources":          strings.Replace(head, "version:", "sources: [https://example.com, example.com]\nversion:", 1),
		"people":           strings.Replace(head, "version:", "maintainers: [{name: me, email: me@example.com, url: example.com/me}]\nversion:", 1),
		"odd address":      strings.Replace(head, "version:", "maintainers: [{name: me, email: me}]\nversion:", 1),
		"short version":    strings.Replace(head, "1.0.0", `"1.0"`, 1),
		"number":           strings.Replace(head, "version: 1.0.0", "version: 1.0.0\nappVersion: 1.2", 1),
		"unknown field":    strings.Replace(head, "version: 1.0.0", "version: 1.0.0\ncolour: red", 1),
		"older, with type": strings.Replace(head, "v2", "v1\ntype: application", 1),
		"older":            strings.Replace(head, "v2", "v1", 1) + "-- requirements.yaml --\ndependencies: [{name: db, version: 1.0.0, repository: https://example.com}]\n",
		"missing":          head + "dependencies: [{name: db, version: 1.0.0, repository: https://example.com}]\n",
		"stray":            head + "-- charts/db/Chart.yaml --\napiVersion: v2\nname: db\nversion: 1.0.0\n",
		"schema":           head + "-- values.yaml --\na: 1\n-- values.schema.json --\n{\"properties\": {\"a\": {\"type\": \"string\"}}}\n-- templates/a.txt --\n",
		"extension":        head + "-- templates/a.json --\n{}\n",
		"indent":           object("  a: b\n"),
		"not YAML":         object("a: [\n"),
		"does not render":  object("{{ .Values.a.b }}\n"),
		"required":         object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ required \"give a\" .Values.a | quote }}}\n"),
		"name":             object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A_B}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: 1a}\n---\nkind: Role\nmetadata: {name: \"a:b\"}\n"),
		"deprecated":       object("apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ComponentStatus\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n"),
		"selector":         object("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"),
		"list":             object("apiVersion: v1\nkind: List\nmetadata: {name: a}\nitems: [{metadata: {annotations: {helm.sh/resource-policy: keep}}}]\n"),
		"crd":              head + "-- crds/a.yaml --\napiVersion: v1\nkind: ConfigMap\n",
	} {
		t.Run(name, func(t *testing.T) {
			folder := unpack(t, files)
			got, want := ownLint(t, folder, nil), helmsLint(folder, nil)
			if !slices.Equal(got, want) {
				t.Errorf("we say\n  %s\nHelm says\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}
