package chart

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/diag"
)

// serveVariable makes the test binary the process that renders.
const serveVariable = "PINTLE_TEST_SERVE_TEMPLATES"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		os.Exit(ServeTemplates(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// confined are options to render in a process of its own.
func confined(t testing.TB, timeout time.Duration) RenderOptions {
	t.Helper()
	t.Setenv(serveVariable, "1")
	opts := options(nil)
	opts.Confine = Confinement{Timeout: timeout, Command: []string{os.Args[0]}}
	return opts
}

// faithful shows what a process of its own could lose: types, the difference
// between empty and nil, bytes that are no text, maps that are in two places.
const faithful = `
-- Chart.yaml --
apiVersion: v2
name: web
version: 1.0.0
keywords: []
annotations: {a: b}
dependencies:
- {name: db, version: 1.0.0, alias: main, import-values: [{child: x, parent: y}]}
- {name: extra, version: 1.0.0, condition: extra.enabled}
-- values.yaml --
int: 5
big: 12345678
float: 1.5
none: null
empty: {}
list: [1, a, true, null, []]
extra: {enabled: false}
global: {shared: {a: 1}}
-- templates/_helpers.tpl --
{{ define "name" }}{{ .Chart.Name }}-{{ .Release.Name }}{{ end }}
-- templates/a.yaml --
name: {{ include "name" . }} {{ .Template.Name }} {{ .Template.BasePath }}
{{ range $k, $v := .Values }}
{{ $k }}: {{ printf "%T %v" $v $v }} {{ kindOf $v }}
{{ end }}
chart: {{ toJson .Chart }} {{ typeOf .Chart }} {{ typeOf .Values }} {{ typeOf .Subcharts }} {{ typeOf .Capabilities }}
release: {{ printf "%#v" .Release }}
kube: {{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.APIVersions.Has "x/v1" }} {{ .Capabilities.HelmVersion.Version }}
file: {{ .Files.Get "bytes.bin" | b64enc }} {{ len .Files }}
text: {{ .Values.binary | b64enc }} {{ typeOf .Values.number }}
tpl: {{ tpl "{{ .Values.int }} {{ include \"name\" . }}" . }}
{{ $_ := set .Values.global.shared "a" 2 }}
-- templates/b.yaml --
{{ .Values.global.shared.a }} {{ .Values.main.global.shared.a }}
-- templates/NOTES.txt --
notes of {{ .Chart.Name }}
-- charts/db/Chart.yaml --
apiVersion: v2
name: db
version: 1.0.0
-- charts/db/values.yaml --
x: {z: 1}
-- charts/db/templates/c.yaml --
{{ toYaml .Values }} {{ .Chart.Name }} {{ .Template.Name }} {{ .Chart.IsRoot }} {{ .Values.global.shared.a }}
-- charts/extra/Chart.yaml --
apiVersion: v2
name: extra
version: 1.0.0
-- charts/extra/templates/d.yaml --
{{ fail "off" }}
`

func TestConfinedIsTheSame(t *testing.T) {
	dir := unpack(t, faithful)
	write(t, dir, "bytes.bin", "\xff\x00\xfe")
	c, err := Open(dir, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{"binary": "\xff\xfe", "number": int64(7)}
	opts := confined(t, time.Minute)
	opts.Values = values
	opts.Capabilities = Capabilities{KubeVersion: "v1.33.1-gke.7", Major: "1", Minor: "33+", APIVersions: []string{"x/v1"}}
	there := texts(t, c, opts)
	opts.Confine = Confinement{}
	if diff := cmp.Diff(texts(t, c, opts), there); diff != "" {
		t.Errorf("-in this process +confined:\n%s", diff)
	}
}

// texts is what each template gave before it was parsed, as the test's
// templates are no documents.
func texts(t *testing.T, c *Chart, opts RenderOptions) map[string]string {
	t.Helper()
	chrt := clone(c.helm)
	caps, err := opts.Capabilities.helm()
	if err != nil {
		t.Fatal(err)
	}
	values, err := renderValues(chrt, opts, caps)
	if err != nil {
		t.Fatal(err)
	}
	files, err := execute(t.Context(), chrt, values, opts)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestConfinedEqualsHere renders public charts in both ways: every fifth, since
// each takes a process.
func TestConfinedEqualsHere(t *testing.T) {
	opts := confined(t, 10*time.Minute)
	for i, path := range publicCharts(t) {
		if i%5 != 0 {
			continue
		}
		c, err := Load(t.Context(), path, OpenOptions{})
		if err != nil {
			continue
		}
		here, err := Render(t.Context(), c, options(nil))
		again, _ := Render(t.Context(), c, options(nil))
		there, confinedErr := Render(t.Context(), c, opts)
		switch {
		case err != nil || confinedErr != nil:
			if errorText(err) != errorText(confinedErr) {
				t.Errorf("%s: got %v, want %v", filepath.Base(path), confinedErr, err)
			}
		case here.Manifest+here.Notes != again.Manifest+again.Notes: // made anew each time
		case here.Manifest+here.Notes != there.Manifest+there.Notes:
			t.Errorf("%s: %s", filepath.Base(path), cmp.Diff(here.Manifest, there.Manifest))
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestConfinedErrors(t *testing.T) {
	for _, template := range []string{
		"{{ fail `no` }}", "{{ required `give a colour` .Values.colour }}", "{{ .Values.a.b.c }}", "\n{{ include `x` . }}", "{{ if }}", "a: [", "{{ index .Files 3 }}",
	} {
		c := load(t, "-- templates/a.yaml --\n"+template+"\n")
		_, here := Render(t.Context(), c, options(nil))
		_, there := Render(t.Context(), c, confined(t, time.Minute))
		if here == nil || errorText(here) != errorText(there) {
			t.Errorf("%s: got %v, want %v", template, there, here)
		}
	}
}

func TestConfinedLookup(t *testing.T) {
	c := load(t, "-- templates/a.yaml --\na: {{ (lookup `v1` `Secret` `ns` `x`).data.y }}\nb: {{ typeOf (lookup `v1` `Secret` `ns` `x`).n }}\nc: {{ len (lookup `v1` `Secret` `ns` `gone`) }}\n")
	opts := confined(t, time.Minute)
	refused := errors.New("secrets is forbidden")
	opts.Lookup = lookupFunc(func(apiVersion, kind, namespace, name string) (map[string]any, error) {
		if apiVersion+kind+namespace != "v1Secretns" {
			t.Errorf("asked for %s %s %s", apiVersion, kind, namespace)
		}
		if name == "gone" {
			return map[string]any{}, nil
		}
		return map[string]any{"data": map[string]any{"y": "z"}, "n": int64(1)}, nil
	})
	out, err := Render(t.Context(), c, opts)
	if err != nil || !strings.Contains(out.Manifest, "a: z\nb: int64\nc: 0") {
		t.Errorf("got %v, %v", out, err)
	}
	opts.Lookup = lookupFunc(func(_, _, _, _ string) (map[string]any, error) { return nil, refused })
	if _, err = Render(t.Context(), c, opts); !errors.Is(err, refused) || diag.Problems(err) == nil {
		t.Errorf("got %v", err)
	}
}

const (
	endless = "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}"
	deeperT = "{{ tpl .Values.x . }}"
	flood   = "{{ range until 100000 }}{{ range until 10000 }}0123456789012345678901234567890123456789012345678901234567890123456789{{ end }}{{ end }}"
)

// hostile is a chart with one harmless template on either side of another.
func hostile(t *testing.T, template string) *Chart {
	t.Helper()
	return load(t, "-- values.yaml --\nx: '{{ tpl .Values.x . }}'\n-- templates/a.yaml --\n# a\n-- templates/b.yaml --\n"+template+"\n-- templates/c.yaml --\n# c\n")
}

// TestConfinedEnds has each template that does not end, ended, and named.
func TestConfinedEnds(t *testing.T) {
	for name, tt := range map[string]struct{ template, limit, want string }{
		"time":    {endless, "", "rendering took longer than 500ms"},
		"stack":   {deeperT, "", "rendering "},
		"memory":  {flood, "render-memory=200Mi", "more than 200.0 MiB of memory"},
		"output":  {"{{ repeat 2000 `0123456789` }}", "output-file=10000", "renders 19.5 KiB"},
		"at once": {"{{ repeat 1000000000 `0123456789` }}", "render-memory=200Mi", "memory"},
	} {
		t.Run(name, func(t *testing.T) {
			if raceDetector && strings.Contains(tt.limit, "render-memory") {
				t.Skip("the race detector does not start within a limit on memory")
			}
			timeout := time.Minute
			if name == "time" {
				timeout = 500 * time.Millisecond
			}
			opts := confined(t, timeout)
			opts.Limits = limits(t, tt.limit).Limits
			_, err := Render(t.Context(), hostile(t, tt.template), opts)
			if diag.Problems(err) == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "web/templates/b.yaml: ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestGivenUpHere is the same without a process of its own. What was given up
// goes on, so a process of its own tells of it.
func TestGivenUpHere(t *testing.T) {
	if what := os.Getenv("PINTLE_TEST_GIVE_UP"); what != "" {
		opts := options(nil)
		ctx := t.Context()
		template := map[string]string{"stack": deeperT, "memory": flood, "end": endless}[what]
		if what == "end" {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, time.Second, errors.New("enough"))
			defer cancel()
		}
		opts.Limits = limits(t, "render-memory=300Mi").Limits
		_, err := Render(ctx, hostile(t, template), opts)
		var runaway *Runaway
		if !errors.As(err, &runaway) {
			t.Errorf("got %v", err)
		}
		_, _ = os.Stdout.WriteString("error: " + err.Error() + "\n")
		os.Exit(0)
	}
	for what, want := range map[string]string{
		"stack": "rendering ", "memory": "rendering takes more than 300.0 MiB of memory", "end": "rendering chart web: enough",
	} {
		t.Run(what, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGivenUpHere$")
			cmd.Env = append(os.Environ(), "PINTLE_TEST_GIVE_UP="+what, "TMPDIR="+t.TempDir()) // it ends without tidying up
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "error: "+want) {
				t.Errorf("got %v, %.2000s", err, out)
			}
		})
	}
}

// TestConfinedStopsWithItsContext does not wait for the template.
func TestConfinedStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	opts := confined(t, time.Hour)
	opts.Lookup = lookupFunc(func(_, _, _, _ string) (map[string]any, error) {
		cancel(enough)
		return nil, nil
	})
	if _, err := Render(ctx, hostile(t, "{{ lookup `v1` `Pod` `` `` }}"+endless), opts); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

// TestServerEndsWithItsParent closes the server's input, as the end of its
// parent does, while a template runs.
func TestServerEndsWithItsParent(t *testing.T) {
	t.Setenv(serveVariable, "1")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := hostile(t, endless)
	say := speaker{w: in}
	if err := say.say(sayRender, renderRequest{Chart: packChart(c.helm), Values: map[string]any{}, Release: map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	if kind, _, err := hear(out, 1000); kind != sayBegin || err != nil {
		t.Fatalf("got %c, %v", kind, err)
	}
	_ = in.Close()
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err == nil {
		t.Error("the server says that all is well")
	}
}

func TestConfinedWithoutAServer(t *testing.T) {
	opts := options(nil)
	for _, command := range []string{"/nowhere", "/bin/true", "/bin/echo"} {
		opts.Confine = Confinement{Timeout: time.Minute, Command: []string{command}}
		if _, err := Render(t.Context(), load(t, ""), opts); err == nil {
			t.Errorf("%s has rendered", command)
		}
	}
}
