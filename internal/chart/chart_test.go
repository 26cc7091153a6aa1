package chart

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/rogpeppe/go-internal/txtar"
)

// unpack writes a txtar text into a fresh folder and returns the folder.
func unpack(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := txtar.Write(txtar.Parse([]byte(text)), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// chartFiles is a txtar of a chart named "web", to which tests add files.
const chartFiles = `
-- Chart.yaml --
apiVersion: v2
name: web
version: 1.2.3
appVersion: "7"
`

// load unpacks and loads the chart "web" with the given further files.
func load(t *testing.T, files string) *Chart {
	t.Helper()
	c, err := Load(t.Context(), unpack(t, chartFiles+files), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render renders as the first revision of release r in namespace ns.
func render(t *testing.T, c *Chart, values map[string]any) *Rendered {
	t.Helper()
	r, err := Render(t.Context(), c, options(values))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func options(values map[string]any) RenderOptions {
	return RenderOptions{Release: ReleaseOptions{Name: "r", Namespace: "ns", Revision: 1}, Values: values}
}

// problems returns the problems of an error in one line each, or fails.
func problems(t *testing.T, err error) []string {
	t.Helper()
	found := diag.Problems(err)
	if len(found) == 0 {
		t.Fatalf("want problems, got %v", err)
	}
	lines := make([]string, len(found))
	for i, p := range found {
		lines[i] = p.Error()
	}
	return lines
}

// wantProblem asserts that there is one problem and that it says all of parts.
func wantProblem(t *testing.T, err error, parts ...string) {
	t.Helper()
	lines := problems(t, err)
	if len(lines) != 1 {
		t.Fatalf("want one problem, got %q", lines)
	}
	for _, part := range parts {
		if !strings.Contains(lines[0], part) {
			t.Errorf("problem lacks %q:\n%s", part, lines[0])
		}
	}
}

func TestLoadReportsWhatIsWrong(t *testing.T) {
	dir := unpack(t, `
-- broken/Chart.yaml --
apiVersion: v2
name: broken
 version: 1.0.0
-- nothing/README.md --
no chart here
-- noversion/Chart.yaml --
apiVersion: v2
name: noversion
-- future/Chart.yaml --
apiVersion: v3
name: future
version: 1.0.0
-- defaults/Chart.yaml --
apiVersion: v2
name: defaults
version: 1.0.0
-- defaults/values.yaml --
a: 1
b: [1, 2
c: 3
-- parent/Chart.yaml --
apiVersion: v2
name: parent
version: 1.0.0
-- parent/charts/db/Chart.yaml --
apiVersion: v2
name: db
version: 1.0.0
-- parent/charts/db/values.yaml --
a: 1
b:
	c: 1
-- library/Chart.yaml --
apiVersion: v2
name: library
version: 1.0.0
type: library
-- missing/Chart.yaml --
apiVersion: v2
name: missing
version: 1.0.0
dependencies:
- name: postgres
  version: 1.x
  repository: https://charts.example.com
- name: redis
  version: 1.x
  repository: https://charts.example.com
-- text.tgz --
hello
-- values.yaml --
a: 1
`)
	tests := []struct {
		ref  string
		want []string
	}{
		{"nowhere", []string{`no chart "`, "there is no folder and no archive at " + filepath.Join(dir, "nowhere")}},
		{"broken", []string{"Chart.yaml", "broken/Chart.yaml:3: ", "mapping values are not allowed"}},
		{"nothing", []string{"is not a chart", "no Chart.yaml"}},
		{"noversion", []string{"noversion/Chart.yaml: ", "version is required"}},
		{"future", []string{"future/Chart.yaml: ", `apiVersion "v3"`}},
		{"defaults", []string{"defaults/values.yaml:2: "}},
		{"parent", []string{"parent/charts/db/values.yaml:3: ", "cannot start any token"}},
		{"library", []string{"library/Chart.yaml: ", "cannot be installed"}},
		{"missing", []string{"missing/Chart.yaml: ", "lacks postgres, redis in charts/", "dependency build"}},
		{"text.tgz", []string{"cannot be read", "gzip"}},
		{"values.yaml", []string{"cannot be read", "YAML file"}},
	}
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			_, err := Load(t.Context(), filepath.Join(dir, tt.ref), OpenOptions{})
			wantProblem(t, err, tt.want...)
		})
	}
}

func TestLoadAsksTheFinder(t *testing.T) {
	folder := unpack(t, chartFiles)
	find := func(_ context.Context, ref string) (string, error) {
		if ref != "shop/web" {
			return "", diag.Problem{Summary: "no such chart"}
		}
		return folder, nil
	}
	c, err := Load(t.Context(), "shop/web", OpenOptions{Find: find})
	if err != nil || c.Metadata().Name != "web" {
		t.Errorf("got %v, %v", c, err)
	}
	_, err = Load(t.Context(), "shop/other", OpenOptions{Find: find})
	wantProblem(t, err, "no such chart")
	if err := os.WriteFile(filepath.Join(folder, "Chart.yaml"), []byte("name: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(t.Context(), "shop/web", OpenOptions{Find: find})
	wantProblem(t, err, "shop/web/Chart.yaml")
	if strings.Contains(err.Error(), folder) {
		t.Errorf("the user does not know %s: %v", folder, err)
	}
}

func TestLoadUpdatesWhatIsMissing(t *testing.T) {
	folder := unpack(t, chartFiles+"dependencies: [{name: db, version: 1.0.0, repository: https://charts.example.com}]\n")
	asked := 0
	update := func(_ context.Context, at string) error {
		asked++
		sub := filepath.Join(at, "charts", "db")
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(sub, "Chart.yaml"), []byte("apiVersion: v2\nname: db\nversion: 1.0.0\n"), 0o600)
	}
	for range 2 {
		if _, err := Load(t.Context(), folder, OpenOptions{Update: update}); err != nil {
			t.Error(err)
		}
	}
	if asked != 1 {
		t.Errorf("updated %d times, not only when something was missing", asked)
	}
}

func TestDeprecatedChartWarns(t *testing.T) {
	c, err := Load(t.Context(), unpack(t, chartFiles+"deprecated: true\n"), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Warnings(); len(w) != 1 || w[0].Summary != "chart web 1.2.3 is deprecated" || w[0].Severity != diag.Warning {
		t.Errorf("warnings: %v", w)
	}
	if !c.Metadata().Deprecated {
		t.Error("metadata does not say so")
	}
}

func TestOpenReadsLibraries(t *testing.T) {
	if _, err := Open(unpack(t, chartFiles+"type: library\n"), OpenOptions{}); err != nil {
		t.Error(err)
	}
}

func TestEncodeAndDecode(t *testing.T) {
	c := load(t, "-- values.yaml --\na: 1\n-- templates/x.yaml --\nkind: X\n-- charts/db/Chart.yaml --\napiVersion: v2\nname: db\nversion: 1.0.0\n")
	raw, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"name":"web"`, `"values":{"a":1}`, `"name":"templates/x.yaml"`, `"schema":null`} {
		if !strings.Contains(string(raw), part) {
			t.Errorf("record lacks %s:\n%s", part, raw)
		}
	}
	if strings.Contains(string(raw), `"name":"db"`) {
		t.Error("record holds a subchart")
	}
	back, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if m := back.Metadata(); m.Name != "web" || m.Version != "1.2.3" || m.AppVersion != "7" {
		t.Errorf("metadata: %+v", m)
	}
	if _, err := Decode([]byte("[")); err == nil {
		t.Error("a broken record was decoded")
	}
	if empty, err := Decode(nil); err != nil || empty.Metadata().Name != "" {
		t.Errorf("no record: %v, %v", empty, err)
	}
}
