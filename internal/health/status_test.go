package health

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite what the fixtures expect")

// TestStatus judges each object in testdata/status. A fixture is one object as
// the API server returns it, headed by the expected answers, a comment each.
func TestStatus(t *testing.T) {
	files, err := filepath.Glob("testdata/status/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d fixtures (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			want, body := readFixture(t, file)
			got := answers(parse(t, body))
			if *update {
				writeFixture(t, file, got, body)
				return
			}
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// answers are all that this package says of an object, a comment line each.
func answers(obj *unstructured.Unstructured) string {
	var b strings.Builder
	say := func(what string, s Status) {
		fmt.Fprintf(&b, "# %s: %s", what, s.State)
		if s.State == InProgress {
			fmt.Fprintf(&b, ", patience %s", s.Patience)
		}
		if s.Reason != "" {
			fmt.Fprintf(&b, ", %s", s.Reason)
		}
		if s.Message != "" {
			fmt.Fprintf(&b, ": %s", s.Message)
		}
		b.WriteString("\n")
	}
	say("wait", Readiness(obj, DefaultOptions()))
	switch obj.GetKind() {
	case "Job":
		say("wait for jobs", Readiness(obj, Options{Jobs: true}))
		say("hook", Completion(obj))
	case "Pod":
		say("hook", Completion(obj))
		if s, ok := PodTrouble(obj); ok {
			say("trouble", s)
		}
	}
	return b.String()
}

func readFixture(t *testing.T, file string) (head, body string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	n := 0
	for n < len(lines) && strings.HasPrefix(lines[n], "#") {
		n++
	}
	return strings.Join(lines[:n], ""), strings.Join(lines[n:], "")
}

func writeFixture(t *testing.T, file, head, body string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(head+body), 0o644); err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(json); err != nil {
		t.Fatal(err)
	}
	return u
}
