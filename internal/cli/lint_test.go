package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const lateHook = `apiVersion: v1
kind: Secret
metadata: {name: late}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate-{{ randAlphaNum 5 | lower }}
  annotations: {helm.sh/hook: pre-install}
spec:
  activeDeadlineSeconds: 900
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: x
          envFrom:
            - secretRef: {name: late}
            - secretRef: {name: outside}
`

func TestLint(t *testing.T) {
	good := writeChart(t, map[string]string{"settings.yaml": settings})
	late := writeChart(t, map[string]string{"late.yaml": lateHook})
	odd := writeChart(t, map[string]string{"odd.yaml": oddHook})
	tests := []struct {
		name string
		args []string
		code int
		says []string
		not  string
	}{
		{"nothing", []string{"lint", good}, 0, []string{"1 linted, 0 failed"}, "warning"},
		{"what comes later", []string{"lint", late}, 0, []string{
			"warning: web/templates/late.yaml:11 (rendered): the deadline of hook Job/migrate-", "15m0s, but it is stopped after 5m0s",
			"warning: web/templates/late.yaml:19 (rendered): pre-install hook Job/migrate-", "needs Secret/late, which the chart brings only after it",
			"note: web/templates/late.yaml:20 (rendered)", "needs Secret/outside, which the chart does not bring",
			"is another one each time the chart is rendered", "1 linted, 0 failed",
		}, "error"},
		{"longer", []string{"lint", late, "--timeout", "20m"}, 0, []string{"needs Secret/late"}, "the deadline of"},
		{"strict", []string{"lint", late, "--strict"}, 1, []string{"1 linted, 1 failed"}, ""},
		{"quiet", []string{"lint", late, "--quiet"}, 0, []string{"Secret/late"}, "Secret/outside"},
		{"an error beside a good one", []string{"lint", odd, good}, 1, []string{"error: web/templates/odd.yaml:", "pre-install", "2 linted, 1 failed"}, ""},
		{"no chart", []string{"lint"}, 2, nil, ""},
		{"no such chart", []string{"lint", "/nowhere"}, 1, []string{"/nowhere", "1 linted, 1 failed"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := run(t, tt.args...)
			if got.code != tt.code {
				t.Errorf("exit code %d, not %d: %s", got.code, tt.code, got.err)
			}
			for _, want := range tt.says {
				if !strings.Contains(got.out, want) {
					t.Errorf("it does not say %q:\n%s", want, got.out)
				}
			}
			if tt.not != "" && strings.Contains(got.out, tt.not) {
				t.Errorf("it says %q:\n%s", tt.not, got.out)
			}
		})
	}
}

func TestLintAsJSON(t *testing.T) {
	got := run(t, "lint", writeChart(t, map[string]string{"odd.yaml": oddHook}), "-o", "json")
	var out struct {
		Version int
		Failed  bool
		Charts  []struct {
			Problems []struct {
				Severity, File string
				Line           int
			}
		}
	}
	if err := json.Unmarshal([]byte(got.out), &out); err != nil {
		t.Fatal(err)
	}
	p := out.Charts[0].Problems
	if out.Version != 1 || !out.Failed || len(p) != 3 || p[0].Severity != "error" || p[0].File != "web/templates/odd.yaml" || p[0].Line == 0 {
		t.Errorf("got %s", got.out)
	}
}

// TestLintFindsWhatHelmFinds holds the exit code to Helm's sense: what Helm
// only warns of is no error here either.
func TestLintFindsWhatHelmFinds(t *testing.T) {
	folder := func(chart string) string {
		dir := writeChart(t, map[string]string{"settings.yaml": settings})
		if err := os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte(chart), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	lacking := folder("apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{name: db, version: 1.0.0, repository: https://example.com}]\n")
	library := folder("apiVersion: v2\nname: web\nversion: 0.1.0\ntype: library\n")
	misnamed := folder("apiVersion: v2\nname: web\nversion: '1'\nicon: https://example.com/icon.png\ntype: other\n")
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"missing dependencies", []string{lacking}, 0, "warning: " + lacking + ": chart directory is missing these dependencies: db"},
		{"missing dependencies, strictly", []string{lacking, "--strict"}, 1, "db"},
		{"library", []string{library}, 0, "note: " + library + "/Chart.yaml: icon is recommended"},
		{"quiet", []string{library, "--quiet"}, 0, "1 linted, 0 failed"},
		{"odd type", []string{misnamed}, 1, "application or library"},
		{"the version of Kubernetes", []string{library, "--kube-version", "x"}, 1, "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := run(t, append([]string{"lint"}, tt.args...)...)
			if got.code != tt.code || !strings.Contains(got.out, tt.says) {
				t.Errorf("exit code %d:\n%s\n%s", got.code, got.out, got.err)
			}
			if strings.Contains(strings.Join(tt.args, " "), "quiet") && strings.Contains(got.out, "icon") {
				t.Errorf("notes are shown: %s", got.out)
			}
		})
	}
}
