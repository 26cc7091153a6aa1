package chart

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
)

// laughs is a document whose aliases multiply to ten to the power of n.
func laughs(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [" + strings.Repeat("lol,", 9) + "lol]\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), i-1)
	}
	return b.String()
}

// TestBombs is what small inputs can do to the readers of YAML and JSON: each
// is an error that names the input, soon.
func TestBombs(t *testing.T) {
	deep := func(open, end string) string {
		return "a: " + strings.Repeat(open, 100_000) + strings.Repeat(end, 100_000)
	}
	bombs := map[string]string{
		"aliases":         laughs(9),
		"deep lists":      deep("[", "]"),
		"deep maps":       deep("{a: ", "}"),
		"endless number":  "a: .inf\n",
		"alias to itself": "a: &a [*a]\n",
	}
	for name, text := range bombs {
		t.Run(name, func(t *testing.T) {
			_, err := ValuesOptions{Files: []string{"-"}, Stdin: strings.NewReader(text)}.Merge(t.Context())
			if diag.Problems(err) == nil {
				t.Errorf("as values: %v", err)
			}
			_, err = Open(unpack(t, chartFiles+"-- values.yaml --\n"+text), OpenOptions{})
			if diag.Problems(err) == nil {
				t.Errorf("as a chart's values: %v", err)
			}
			c := load(t, "-- templates/a.yaml --\n"+text)
			if _, err := Render(t.Context(), c, options(nil)); diag.Problems(err) == nil {
				t.Errorf("as a document: %v", err)
			}
		})
	}
}

// TestBigNumbers go through as they do in Helm.
func TestBigNumbers(t *testing.T) {
	merged, err := ValuesOptions{Files: []string{"-"}, Stdin: strings.NewReader("a: 123456789012345678901234567890\nb: 1e300\n")}.Merge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"a": 123456789012345678901234567890.0, "b": 1e300}; !maps.Equal(merged, want) {
		t.Errorf("got %v", merged)
	}
}

func TestValuesTooLong(t *testing.T) {
	opts := limits(t, "values-size=100")
	long := t.TempDir() + "/long"
	if err := os.WriteFile(long, []byte("a: "+strings.Repeat("x", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []ValuesOptions{
		{Files: []string{"-"}, Stdin: strings.NewReader("a: " + strings.Repeat("x", 100))},
		{Files: []string{long}}, {SetFile: []string{"a=" + long}}, {Files: []string{"/dev/zero"}},
	} {
		o.Limits = opts.Limits
		_, err := o.Merge(t.Context())
		if diag.Problems(err) == nil || !strings.Contains(err.Error(), "values-size is 100") {
			t.Errorf("%v: got %v", o, err)
		}
	}
}

// TestOutputLimits names the template that gives too much.
func TestOutputLimits(t *testing.T) {
	c := load(t, "-- templates/a.yaml --\na: {{ repeat 600 `x` }}\n-- templates/b.yaml --\na: {{ repeat 600 `x` }}\n-- templates/_c.tpl --\n")
	opts := options(nil)
	for text, want := range map[string]string{"output-file=500": "web/templates/a.yaml: the template renders 604 bytes", "output-size=1000": "the chart's templates render 1.2 KiB together"} {
		opts.Limits = limits(t, text).Limits
		if _, err := Render(t.Context(), c, opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// TestNothingOfTheMachine sees that templates have no way to it.
func TestNothingOfTheMachine(t *testing.T) {
	t.Setenv("PINTLE_TEST_SECRET", "hunter2")
	for _, call := range []string{`env "PINTLE_TEST_SECRET"`, `expandenv "$PINTLE_TEST_SECRET"`} {
		c := load(t, "-- templates/a.yaml --\na: {{ "+call+" }}\n")
		if out, err := Render(t.Context(), c, options(nil)); err == nil || !strings.Contains(err.Error(), "not defined") {
			t.Errorf("%s gives %v, %v", call, out, err)
		}
	}
	c := load(t, "-- templates/a.yaml --\na: {{ getHostByName `localhost` | quote }}\n")
	if got := render(t, c, nil).Manifest; !strings.Contains(got, `a: ""`) {
		t.Errorf("the resolver was asked: %s", got)
	}
	opts := options(nil)
	opts.EnableDNS = true
	out, err := Render(t.Context(), c, opts)
	if err != nil || strings.Contains(out.Manifest, `a: ""`) {
		t.Errorf("with EnableDNS: %v, %v", out, err)
	}
}

// TestEndlessCalls are those that the engine itself puts an end to.
func TestEndlessCalls(t *testing.T) {
	for name, template := range map[string]string{
		"include":  "{{ define `a` }}{{ include `a` . }}{{ end }}{{ include `a` . }}",
		"template": "{{ define `a` }}{{ template `a` . }}{{ end }}{{ template `a` . }}",
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			_, err := Render(t.Context(), load(t, "-- templates/a.yaml --\n"+template+"\n"), options(nil))
			if diag.Problems(err) == nil {
				t.Errorf("got %v", err)
			}
			if len(err.Error()) > 100_000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			t.Logf("after %s", time.Since(started))
		})
	}
}
