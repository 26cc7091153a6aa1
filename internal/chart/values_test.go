package chart

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestMergeOrder(t *testing.T) {
	dir := unpack(t, `
-- first.yaml --
image: {repo: nginx, tag: "1"}
list: [a, b]
gone: 1
---
second: document
-- second.yaml --
image: {tag: "2"}
list: [c]
gone: null
-- file.txt --
from a file
`)
	got, err := ValuesOptions{
		Files:      []string{filepath.Join(dir, "first.yaml"), filepath.Join(dir, "second.yaml"), "-"},
		Stdin:      strings.NewReader("stdin: true\nimage: {tag: in}\n"),
		SetJSON:    []string{`j={"a":[1,2]}`, `{"whole":{"object":true},"image":{"tag":"json"}}`},
		Set:        []string{"image.tag=set,n=5", "list[1]=d"},
		SetString:  []string{"n2=5"},
		SetFile:    []string{"f=" + filepath.Join(dir, "file.txt")},
		SetLiteral: []string{"l=a,b\\c"},
	}.Merge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"image":  map[string]any{"repo": "nginx", "tag": "set"},
		"list":   []any{"c", "d"},
		"gone":   nil,
		"second": "document",
		"stdin":  true,
		"j":      map[string]any{"a": []any{float64(1), float64(2)}},
		"whole":  map[string]any{"object": true},
		"n":      int64(5),
		"n2":     "5",
		"f":      "from a file\n",
		"l":      `a,b\c`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMergeSaysWhatIsWrong(t *testing.T) {
	dir := unpack(t, `
-- indent.yaml --
image:
  repo: nginx
 tag: "1"
-- second.yaml --
a: 1
---
b: 2
c: [1, 2
d: 3
-- tab.yaml --
a: 1
b:
	c: 1
-- late.yaml --
a:
  b: 1
  c: 2
  d: "x
e: 1
-- list.yaml --
- a
- b
-- colon.yaml --
a: 1
b: c: d
`)
	file := func(name string) string { return filepath.Join(dir, name) }
	tests := []struct {
		name string
		opts ValuesOptions
		want []string
	}{
		{"missing", ValuesOptions{Files: []string{file("none.yaml")}}, []string{"none.yaml", "cannot be read", "no such file"}},
		{"indentation", ValuesOptions{Files: []string{file("indent.yaml")}}, []string{"indent.yaml:3: ", "not valid YAML"}},
		{"second document", ValuesOptions{Files: []string{file("second.yaml")}}, []string{"second.yaml:4: ", "not valid YAML"}},
		{"tab", ValuesOptions{Files: []string{file("tab.yaml")}}, []string{"tab.yaml:3: ", "cannot start any token"}},
		{"open quote", ValuesOptions{Files: []string{file("late.yaml")}}, []string{"late.yaml:4: "}},
		{"two colons", ValuesOptions{Files: []string{file("colon.yaml")}}, []string{"colon.yaml:2: ", "mapping values are not allowed"}},
		{"list", ValuesOptions{Files: []string{file("list.yaml")}}, []string{"list.yaml:1: ", "does not hold a map"}},
		{"stdin", ValuesOptions{Files: []string{"-"}, Stdin: strings.NewReader("a: b: c")}, []string{"standard input:1: "}},
		{"set", ValuesOptions{Set: []string{"fine=1", "a[x]=1"}}, []string{`--set "a[x]=***"`}},
		{"set without value", ValuesOptions{Set: []string{"name"}}, []string{`--set "name"`, "has no value"}},
		{"set-json", ValuesOptions{SetJSON: []string{`a={`}}, []string{`--set-json "a=***"`}},
		{"set-json object", ValuesOptions{SetJSON: []string{`{"a":}`}}, []string{`--set-json "***"`, "invalid character"}},
		{"set-file", ValuesOptions{SetFile: []string{"a=" + file("none.txt")}}, []string{"none.txt", "no such file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.opts.Merge(t.Context())
			wantProblem(t, err, tt.want...)
		})
	}
}

func TestWhere(t *testing.T) {
	dir := unpack(t, `
-- a.yaml --
image:
  repo: nginx
  tag: "1"
ports:
- name: http
  port: 80
- {name: admin, port: 81}
---
late: true
-- b.yaml --
# another
image: {tag: "2"}
`)
	a, b := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	opts := ValuesOptions{
		Files:     []string{a, b, "-", filepath.Join(dir, "gone.yaml")},
		Set:       []string{"x.y=1,list[1].name=z", "x.y=2"},
		SetString: []string{"s=1"},
		SetFile:   []string{"f=" + filepath.Join(dir, "gone.txt")},
		SetJSON:   []string{`{"j":{"k":null}}`},
	}
	tests := []struct {
		path string
		want string
	}{
		{"image", b + ":2"},
		{"image.repo", a + ":2"},
		{"image.tag", b + ":2"},
		{"ports.0.port", a + ":6"},
		{"ports.1.port", a + ":7"},
		{"ports.2.port", ":0"},
		{"late", a + ":9"},
		{"x.y", "--set x.y:0"},
		{"list.1.name", "--set list[1].name:0"},
		{"list.0", ":0"},
		{"s", "--set-string s:0"},
		{"f", "--set-file f:0"},
		{"j.k", "--set-json j.k:0"},
		{"nowhere", ":0"},
	}
	for _, tt := range tests {
		file, line := opts.Where(strings.Split(tt.path, "."))
		if got := fmt.Sprintf("%s:%d", file, line); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.path, got, tt.want)
		}
	}
}

func TestMergeFetches(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/values.yaml" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("agent: " + r.UserAgent() + "\n"))
	}))
	defer server.Close()
	opts := ValuesOptions{Files: []string{server.URL + "/values.yaml"}, Fetch: HTTPFetcher{UserAgent: "pintle"}}
	got, err := opts.Merge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got["agent"] != "pintle" {
		t.Errorf("got %v", got)
	}
	opts.Files = []string{server.URL + "/none.yaml"}
	_, err = opts.Merge(t.Context())
	wantProblem(t, err, "/none.yaml", "cannot be fetched", "404 Not Found")
	opts.Files = []string{"ftp://example.com/values.yaml"}
	_, err = opts.Merge(t.Context())
	wantProblem(t, err, "ftp://example.com/values.yaml", "no such file")
}

func TestCarryOver(t *testing.T) {
	oldChart := load(t, "-- values.yaml --\ncolor: red\nsize: 1\nonly: old\nempty: null\n")
	newChart := load(t, "-- values.yaml --\ncolor: blue\nsize: 2\nfresh: new\n-- templates/a.yaml --\n{{ toYaml .Values }}\n")
	config := map[string]any{"size": 5, "deep": map[string]any{"a": 1, "b": 2}, "dropped": nil}
	tests := []struct {
		name     string
		policy   ValuesPolicy
		given    map[string]any
		config   map[string]any // what the record keeps
		rendered map[string]any
	}{
		{"none given", KeepIfNone, nil, config, map[string]any{"color": "blue", "size": 5, "fresh": "new", "deep": map[string]any{"a": 1, "b": 2}}},
		{"some given", KeepIfNone, map[string]any{"x": 1}, map[string]any{"x": 1}, map[string]any{"color": "blue", "size": 2, "fresh": "new", "x": 1}},
		{"reset", ResetValues, nil, nil, map[string]any{"color": "blue", "size": 2, "fresh": "new"}},
		{
			"reuse", ReuseValues, map[string]any{"deep": map[string]any{"b": 3}},
			map[string]any{"deep": map[string]any{"a": 1, "b": 3}, "size": 5, "dropped": nil},
			map[string]any{"color": "red", "size": 5, "only": "old", "deep": map[string]any{"a": 1, "b": 3}},
		},
		{
			"reuse and delete", ReuseValues, map[string]any{"size": nil, "deep": map[string]any{"a": nil}},
			map[string]any{"deep": map[string]any{"b": 2}, "dropped": nil},
			map[string]any{"color": "red", "size": 5, "only": "old", "deep": map[string]any{"a": 1, "b": 2}},
		},
		{
			"reset then reuse", ResetThenReuseValues, map[string]any{"color": "green"},
			map[string]any{"color": "green", "size": 5, "deep": map[string]any{"a": 1, "b": 2}, "dropped": nil},
			map[string]any{"color": "green", "size": 5, "fresh": "new", "deep": map[string]any{"a": 1, "b": 2}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old := Previous{Chart: oldChart, Config: copyTable(config)}
			given := copyTable(tt.given)
			c, values, err := CarryOver(newChart, given, old, tt.policy)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.config, values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(config, old.Config); diff != "" {
				t.Errorf("the old config changed:\n%s", diff)
			}
			if diff := cmp.Diff(tt.given, given); diff != "" {
				t.Errorf("the given values changed:\n%s", diff)
			}
			got := rendered(t, c, values)
			for key, want := range tt.rendered {
				if diff := cmp.Diff(want, got[key], equalNumbers); diff != "" {
					t.Errorf("rendered %s:\n%s", key, diff)
				}
			}
			if newChart.Defaults()["color"] != "blue" {
				t.Error("the new chart changed")
			}
		})
	}
}

// equalNumbers compares numbers of any type by value.
var equalNumbers = cmp.FilterValues(func(a, b any) bool {
	_, first := a.(float64)
	_, second := b.(float64)
	return first != second
}, cmp.Comparer(func(a, b any) bool { return number(a) == number(b) }))

func number(v any) any {
	switch n := v.(type) {
	case int:
		return float64(n)
	case int64:
		return float64(n)
	default:
		return v
	}
}

// rendered returns the values as the only template of the chart printed them.
func rendered(t *testing.T, c *Chart, values map[string]any) map[string]any {
	t.Helper()
	r := render(t, c, values)
	if len(r.Documents) != 1 {
		t.Fatalf("want one document, got %q", r.Manifest)
	}
	var got map[string]any
	if err := yaml.Unmarshal([]byte(r.Documents[0].Text), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// FuzzMerge looks for values and expressions that crash, and for results that
// cannot be stored in a record.
func FuzzMerge(f *testing.F) {
	f.Add("a: {b: 1}\n", "a.b=2", `a={"c":null}`)
	f.Add("a: [1, 2]\n---\nb: *x\n", "a[1]=x,c={1,2}", `{"a":[{}]}`)
	f.Add("? {a: b}\n: c\n", "a\\.b=,", "x=")
	f.Fuzz(func(t *testing.T, file, set, setJSON string) {
		opts := ValuesOptions{Files: []string{"-"}, Stdin: strings.NewReader(file), Set: []string{set}, SetString: []string{set}, SetJSON: []string{setJSON}}
		merged, err := opts.Merge(t.Context())
		if err != nil {
			if len(problems(t, err)) == 0 {
				t.Fatal("no problem")
			}
			return
		}
		if _, err := json.Marshal(merged); err != nil {
			t.Fatalf("merged values cannot be stored: %v", err)
		}
		opts.Where([]string{"a", "0"})
	})
}

func TestExpressionsAreShownWithoutValues(t *testing.T) {
	for _, tt := range []struct{ flag, expr, want string }{
		{"--set", `a=secret,b[x]=more`, `a=***,b[x]=***`},
		{"--set", `a={secret,more},b=c`, `a=***,b=***`},
		{"--set-string", `a=se\,cret,b=`, `a=***,b=***`},
		{"--set-literal", `a=se,cret=more`, `a=***`},
		{"--set-json", `a={"b":"secret"}`, `a=***`},
		{"--set-json", `{"b":"secret"}`, `***`},
		{"--set", `a`, `a`},
	} {
		if got := withoutValues(tt.flag, tt.expr); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.flag, tt.expr, got, tt.want)
		}
	}
}
