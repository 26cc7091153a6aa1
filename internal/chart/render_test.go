package chart

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/diag"
)

func TestRenderSaysWhereATemplateFails(t *testing.T) {
	tests := []struct {
		name, files string
		want        []string
		not         string
	}{
		{
			"does not parse", "-- templates/a.yaml --\nkind: A\n{{ if }}\n",
			[]string{"web/templates/a.yaml:2: ", "does not parse", "missing value for if"}, "rendered",
		},
		{
			"required", "-- templates/a.yaml --\nkind: A\n\nname: {{ required \"say a name\" .Values.name }}\n",
			[]string{"web/templates/a.yaml:3: say a name"}, "rendered",
		},
		{
			"fail with lines", "-- templates/a.yaml --\n{{ fail \"first\\nsecond\" }}\n",
			[]string{"web/templates/a.yaml:1: first: second"}, "rendered",
		},
		{
			"nil pointer", "-- templates/a.yaml --\nkind: A\nname: {{ .Values.image.tag }}\n",
			[]string{"web/templates/a.yaml:2: ", "nil pointer evaluating", ".Values.image.tag"}, "rendered",
		},
		{
			"in a helper", "-- templates/_h.tpl --\n{{ define \"n\" }}\n{{ .Values.image.tag }}\n{{ end }}\n-- templates/a.yaml --\nkind: A\nname: {{ include \"n\" . }}\n",
			[]string{"web/templates/_h.tpl:2: ", "nil pointer", "web/templates/a.yaml:2:"}, "rendered",
		},
		{
			"in tpl", "-- templates/a.yaml --\nkind: A\nname: {{ tpl \"{{ .Values.image.tag }}\" . }}\n",
			[]string{"web/templates/a.yaml:2: ", "nil pointer"}, "rendered",
		},
		{
			"no such helper", "-- templates/a.yaml --\n{{ include \"nope\" . }}\n",
			[]string{"web/templates/a.yaml:1: ", `no template "nope"`}, "rendered",
		},
		{
			"in a subchart", "-- charts/db/Chart.yaml --\napiVersion: v2\nname: db\nversion: 1.0.0\n-- charts/db/templates/x.yaml --\n\n{{ fail \"no\" }}\n",
			[]string{"web/charts/db/templates/x.yaml:2: no"}, "rendered",
		},
		{
			"broken YAML", "-- templates/a.yaml --\nkind: A\n---\nkind: B\nmetadata:\n  name: b\n name: c\n",
			[]string{"web/templates/a.yaml:6 (rendered): ", "not valid YAML"}, "nothing",
		},
		{
			"YAML of a wrong shape", "-- templates/a.yaml --\n# note\n---\nkind: B\nmetadata: 5\n",
			[]string{"web/templates/a.yaml:3 (rendered): ", "cannot unmarshal number"}, "nothing",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Render(t.Context(), load(t, tt.files), options(nil))
			wantProblem(t, err, tt.want...)
			if strings.Contains(err.Error(), tt.not) {
				t.Errorf("should not say %q: %v", tt.not, err)
			}
		})
	}
}

func TestRenderCollectsBrokenDocuments(t *testing.T) {
	_, err := Render(t.Context(), load(t, "-- templates/a.yaml --\nkind: [\n---\nkind: fine\n---\na:\n\tb: c\n-- templates/b.yaml --\na: b: c\n"), options(nil))
	got := problems(t, err)
	if len(got) != 3 {
		t.Fatalf("want 3 problems, got %q", got)
	}
	for i, want := range []string{"web/templates/a.yaml:1 ", "web/templates/a.yaml:6 ", "web/templates/b.yaml:1 "} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("problem %d should be at %s: %s", i, want, got[i])
		}
	}
}

func TestRenderChecksSchemas(t *testing.T) {
	c := load(t, `
-- values.schema.json --
{"type":"object","required":["replicas"],"properties":{"replicas":{"type":"integer"},"ports":{"type":"array","items":{"properties":{"name":{"type":"string"}}}}}}
-- charts/db/Chart.yaml --
apiVersion: v2
name: db
version: 1.0.0
-- charts/db/values.schema.json --
{"properties":{"size":{"enum":["small","large"]}}}
-- templates/a.yaml --
kind: A
`)
	values := map[string]any{
		"replicas": "three",
		"ports":    []any{map[string]any{"name": 1}},
		"db":       map[string]any{"size": "huge"},
	}
	_, err := Render(t.Context(), c, options(values))
	got := strings.Join(problems(t, err), "\n")
	for _, want := range []string{
		`web/values.schema.json: value "replicas" does not fit the schema: got string, want integer`,
		`web/values.schema.json: value "ports[0].name" does not fit the schema: got number, want string`,
		`web/charts/db/values.schema.json: value "db.size" does not fit the schema: value must be one of 'small', 'large'`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	_, err = Render(t.Context(), c, options(nil))
	wantProblem(t, err, "web/values.schema.json: the values do not fit the schema: missing property 'replicas'")
	opts := options(values)
	opts.SkipSchemaValidation = true
	if _, err := Render(t.Context(), c, opts); err != nil {
		t.Errorf("skipped validation: %v", err)
	}
	_, err = Render(t.Context(), c, options(map[string]any{"replicas": 1, "db": 5}))
	wantProblem(t, err, "db")
	opts = options(map[string]any{"replicas": "x"})
	opts.ValueSource = func(path []string) (string, int) { return "prod.yaml " + strings.Join(path, "/"), 7 }
	_, err = Render(t.Context(), c, opts)
	wantProblem(t, err, `prod.yaml replicas:7: value "replicas" does not fit`)
}

func TestRenderChecksKubeVersion(t *testing.T) {
	c, err := Load(t.Context(), unpack(t, chartFiles+"kubeVersion: \">=1.30.0-0\"\n"), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	opts := options(nil)
	opts.Capabilities.KubeVersion = "v1.29.4-gke.7"
	_, err = Render(t.Context(), c, opts)
	wantProblem(t, err, "web/Chart.yaml: ", "needs Kubernetes >=1.30.0-0", "v1.29.4-gke.7")
	opts.Capabilities.KubeVersion = "v1.31.0-eks-1234"
	if _, err := Render(t.Context(), c, opts); err != nil {
		t.Error(err)
	}
	if c, err = Load(t.Context(), unpack(t, chartFiles+"kubeVersion: \">=1.30.0\"\n"), OpenOptions{}); err != nil {
		t.Fatal(err)
	}
	opts.Capabilities = Capabilities{KubeVersion: "v1.30.2-gke.1", Major: "1", Minor: "30+"}
	if _, err := Render(t.Context(), c, opts); err != nil {
		t.Errorf("a provider's suffix was taken for a pre-release: %v", err)
	}
	opts.Capabilities.KubeVersion = "nonsense"
	opts.Capabilities.Major = ""
	if _, err := Render(t.Context(), c, opts); err == nil || diag.Problems(err) != nil {
		t.Errorf("nonsense from the server: %v", err)
	}
}

func TestTemplatesSeeTheRelease(t *testing.T) {
	c := load(t, `
-- templates/NOTES.txt --
{{ with .Release }}{{ .Name }} {{ .Namespace }} {{ .Revision }} {{ .IsInstall }} {{ .IsUpgrade }} {{ .Service }}{{ end }}
{{ with .Capabilities.KubeVersion }}{{ . }} {{ .Version }} {{ .GitVersion }} {{ .Major }}.{{ .Minor }}{{ end }}
{{ .Capabilities.APIVersions.Has "x.io/v1/X" }} {{ .Capabilities.APIVersions.Has "v1" }}
`)
	opts := options(nil)
	opts.Release.Revision, opts.Release.Upgrade = 4, true
	for _, tt := range []struct {
		caps Capabilities
		want string
	}{
		{Capabilities{KubeVersion: "v1.34.2-gke.1", Major: "1", Minor: "34+", APIVersions: []string{"x.io/v1/X"}}, "v1.34.2-gke.1 v1.34.2-gke.1 v1.34.2-gke.1 1.34+\ntrue false\n"},
		{Capabilities{KubeVersion: "v1.34.2-gke.1"}, "v1.34.2 v1.34.2-gke.1 v1.34.2-gke.1 1.34\nfalse true\n"},
	} {
		opts.Capabilities = tt.caps
		r, err := Render(t.Context(), c, opts)
		if err != nil {
			t.Fatal(err)
		}
		if want := "r ns 4 false true Helm\n" + tt.want; r.Notes != want {
			t.Errorf("notes %q, want %q", r.Notes, want)
		}
		if r.Manifest != "" || len(r.Raw) != 0 {
			t.Errorf("notes are not documents: %q", r.Manifest)
		}
	}
}

func TestNotesOfSubcharts(t *testing.T) {
	c := load(t, `
-- templates/NOTES.txt --
web
-- charts/a/Chart.yaml --
apiVersion: v2
name: a
version: 1.0.0
-- charts/a/templates/NOTES.txt --
a
-- charts/b/Chart.yaml --
apiVersion: v2
name: b
version: 1.0.0
-- charts/b/templates/NOTES.txt --
b
`)
	opts := options(nil)
	for withSubcharts, want := range map[bool]string{false: "web\n", true: "web\n\na\n\nb\n"} {
		opts.SubchartNotes = withSubcharts
		r, err := Render(t.Context(), c, opts)
		if err != nil {
			t.Fatal(err)
		}
		if r.Notes != want {
			t.Errorf("subcharts %v: notes %q, want %q", withSubcharts, r.Notes, want)
		}
	}
}

type lookupFunc func(apiVersion, kind, namespace, name string) (map[string]any, error)

func (f lookupFunc) Lookup(_ context.Context, apiVersion, kind, namespace, name string) (map[string]any, error) {
	return f(apiVersion, kind, namespace, name)
}

func TestLookup(t *testing.T) {
	c := load(t, "-- templates/NOTES.txt --\n{{ with lookup \"v1\" \"Secret\" .Release.Namespace \"db\" }}{{ .data.password }}{{ else }}none{{ end }}\n")
	opts := options(nil)
	for _, tt := range []struct {
		lookup Lookup
		want   string
	}{
		{nil, "none\n"},
		{lookupFunc(func(apiVersion, kind, namespace, name string) (map[string]any, error) {
			return map[string]any{"data": map[string]any{"password": strings.Join([]string{apiVersion, kind, namespace, name}, "/")}}, nil
		}), "v1/Secret/ns/db\n"},
	} {
		opts.Lookup = tt.lookup
		r, err := Render(t.Context(), c, opts)
		if err != nil {
			t.Fatal(err)
		}
		if r.Notes != tt.want {
			t.Errorf("notes %q, want %q", r.Notes, tt.want)
		}
	}
	refused := errors.New("secrets is forbidden")
	opts.Lookup = lookupFunc(func(_, _, _, _ string) (map[string]any, error) { return nil, refused })
	_, err := Render(t.Context(), c, opts)
	wantProblem(t, err, "web/templates/NOTES.txt:1: ", "secrets is forbidden")
	if !errors.Is(err, refused) {
		t.Errorf("the cluster's own error is lost: %v", err)
	}
}

func TestRenderLeavesItsInputsAlone(t *testing.T) {
	files := `
-- values.yaml --
a: 1
exports: {}
-- charts/db/Chart.yaml --
apiVersion: v2
name: db
version: 1.0.0
-- charts/db/values.yaml --
exports: {data: {port: 5432}}
-- charts/db/crds/x.yaml --
kind: CustomResourceDefinition
-- templates/a.yaml --
kind: A
port: {{ .Values.port }}
{{ $_ := set .Values "a" 2 }}
`
	dir := unpack(t, strings.Replace(chartFiles, "\n-- Chart.yaml --\n", "\n-- Chart.yaml --\ndependencies:\n- {name: db, version: 1.0.0, repository: '', condition: db.on, import-values: [data]}\n", 1)+files)
	c, err := Load(t.Context(), dir, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		on   bool
		want string
		crds int
	}{{true, "port: 5432", 1}, {false, "port: \n", 0}, {true, "port: 5432", 1}} {
		values := map[string]any{"db": map[string]any{"on": tt.on}}
		r := render(t, c, maps.Clone(values))
		if !strings.Contains(r.Manifest, tt.want) {
			t.Errorf("on %v: want %q in\n%s", tt.on, tt.want, r.Manifest)
		}
		if len(r.CRDs) != tt.crds {
			t.Errorf("on %v: CRDs %v", tt.on, r.CRDs)
		}
		if diff := cmp.Diff(map[string]any{"db": map[string]any{"on": tt.on}}, values); diff != "" {
			t.Errorf("values changed: %s", diff)
		}
	}
	after, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("the chart changed:\n%s\n%s", before, after)
	}
}

func TestCRDs(t *testing.T) {
	r := render(t, load(t, `
-- crds/b.yaml --
kind: CustomResourceDefinition
-- crds/notes.md --
not a CRD
-- charts/db/Chart.yaml --
apiVersion: v2
name: db
version: 1.0.0
-- charts/db/crds/{{x}}.yml --
{{ not a template }}
`), nil)
	var got []string
	for _, crd := range r.CRDs {
		got = append(got, crd.Source+" "+string(crd.Data))
	}
	if diff := cmp.Diff([]string{"web/crds/b.yaml kind: CustomResourceDefinition\n", "web/charts/db/crds/{{x}}.yml {{ not a template }}\n"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPostRender(t *testing.T) {
	c := load(t, `
-- templates/a.yaml --
kind: A
metadata: {name: a}
---
kind: Job
metadata: {name: j, annotations: {helm.sh/hook: test}}
---
kind: Job
metadata: {name: lost, annotations: {helm.sh/hook: tset}}
-- templates/b.yaml --
kind: B
metadata: {name: b}
`)
	tests := []struct {
		strategy PostRenderStrategy
		calls    int
		seen     string // names in what was sent
		changed  []string
	}{
		{PostRenderCombined, 1, "a j lost b", []string{"A", "B", "Job", "Job"}},
		{PostRenderSeparate, 2, "j a b", []string{"A", "B", "Job"}},
		{PostRenderNoHooks, 1, "a b", []string{"A", "B"}},
	}
	for _, tt := range tests {
		t.Run(string(tt.strategy), func(t *testing.T) {
			calls, seen := 0, ""
			opts := options(nil)
			opts.PostRenderStrategy = tt.strategy
			opts.PostRender = func(_ context.Context, in string) (string, error) {
				calls++
				seen += in
				return strings.ReplaceAll(in, "kind: ", "touched: yes\nkind: ") + "---\nkind: New\n", nil
			}
			r, err := Render(t.Context(), c, opts)
			if err != nil {
				t.Fatal(err)
			}
			if calls != tt.calls {
				t.Errorf("%d calls, want %d", calls, tt.calls)
			}
			at := 0
			for _, name := range strings.Fields(tt.seen) {
				next := strings.Index(seen[at:], "{name: "+name)
				if next < 0 {
					t.Fatalf("%s is not in its place in what was sent:\n%s", name, seen)
				}
				at += next
			}
			if strings.Contains(r.Manifest, sourceAnnotation) {
				t.Errorf("the annotation stayed:\n%s", r.Manifest)
			}
			if n := strings.Count(r.Manifest, "touched: yes"); n != 2 {
				t.Errorf("%d ordinary documents changed, want 2:\n%s", n, r.Manifest)
			}
			raw := 0
			for _, d := range r.Raw {
				raw += strings.Count(d.Text, "touched: yes")
			}
			if raw != len(tt.changed) {
				t.Errorf("%d of all documents changed, want %d", raw, len(tt.changed))
			}
			if len(r.Hooks) != 1 || len(r.Raw) != 4+tt.calls {
				t.Errorf("%d hooks, %d in all", len(r.Hooks), len(r.Raw))
			}
			if !strings.Contains(r.Manifest, "# Source: generated-by-postrender") {
				t.Errorf("the new document has no name:\n%s", r.Manifest)
			}
		})
	}
}

func TestPostRenderFailures(t *testing.T) {
	c := load(t, "-- templates/a.yaml --\nkind: A\n")
	opts := options(nil)
	opts.PostRender = func(context.Context, string) (string, error) { return "a: [", nil }
	_, err := Render(t.Context(), c, opts)
	wantProblem(t, err, "post-renderer returned is not valid YAML")
	broken := errors.New("exit status 3")
	opts.PostRender = func(context.Context, string) (string, error) { return "", broken }
	if _, err = Render(t.Context(), c, opts); !errors.Is(err, broken) || diag.Problems(err) != nil {
		t.Errorf("want the post-renderer's own error, got %v", err)
	}
	opts.PostRenderStrategy = "sideways"
	_, err = Render(t.Context(), c, opts)
	wantProblem(t, err, "sideways")
}

func TestPrintShowOnly(t *testing.T) {
	r := render(t, load(t, "-- templates/a.yaml --\nkind: A\n-- templates/b.yaml --\nkind: B\n-- templates/sub/c.yaml --\nkind: C\n"), nil)
	var out strings.Builder
	if err := Print(&out, r, PrintOptions{ShowOnly: []string{"templates/sub/*", "templates/a.yaml"}}); err != nil {
		t.Fatal(err)
	}
	if want := "---\n# Source: web/templates/sub/c.yaml\nkind: C\n\n---\n# Source: web/templates/a.yaml\nkind: A\n\n\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	out.Reset()
	wantProblem(t, Print(&out, r, PrintOptions{ShowOnly: []string{"templates/a.yaml", "templates/z.yaml"}}), "could not find template templates/z.yaml in chart")
	if out.Len() > 0 {
		t.Errorf("printed although it failed: %q", out.String())
	}
}

func same(_ context.Context, manifests string) (string, error) { return manifests, nil }

func TestDocumentObject(t *testing.T) {
	r := render(t, load(t, "-- templates/a.yaml --\nkind: A\nspec: {i: 3, f: 1.5, s: '3'}\n---\n# only a comment\n"), nil)
	if len(r.Raw) != 2 {
		t.Fatalf("documents: %q", r.Manifest)
	}
	got, err := r.Raw[0].Object()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"kind": "A", "spec": map[string]any{"i": int64(3), "f": 1.5, "s": "3"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err = r.Raw[1].Object(); got != nil || err != nil {
		t.Errorf("comment: %v, %v", got, err)
	}
}

func TestNumbersAsAnnotations(t *testing.T) {
	r := render(t, load(t, "-- templates/a.yaml --\nkind: Job\nmetadata:\n  name: 5\n  annotations:\n    helm.sh/hook: test\n    helm.sh/hook-weight: -5\n    on: true\n    none:\n"), nil)
	if len(r.Hooks) != 1 || r.Hooks[0].head.Metadata.Name != "5" || r.Hooks[0].head.Metadata.Annotations["helm.sh/hook-weight"] != "-5" {
		t.Errorf("hooks: %+v", r.Hooks)
	}
	_, err := Render(t.Context(), load(t, "-- templates/a.yaml --\nmetadata:\n  annotations: {a: [b]}\n"), options(nil))
	wantProblem(t, err, "a string is wanted")
}
