package preflight_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/preflight"
	"github.com/pintle-dev/pintle/internal/release"
)

// input reads documents as a chart's only template renders them.
func input(t *testing.T, docs string) preflight.Input {
	t.Helper()
	in := preflight.Input{Before: release.PreInstall, After: release.PostInstall, Tests: true, Timeout: 5 * time.Minute}
	lines := map[*release.Hook]int{}
	parsed, err := object.ParseAll(object.SplitFile("web/templates/all.yaml", docs))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parsed {
		p.Object.SetNamespace("shop")
		if !release.IsHook(p.Object) {
			in.Wanted = append(in.Wanted, p)
			continue
		}
		h, problems := release.ParseHook(p.Document, p.Object)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		lines[h] = p.Line
		in.Hooks = append(in.Hooks, plan.Hook{Hook: h, Object: p.Object, Steering: h.Options()})
	}
	in.Lines = func(h *release.Hook) int { return lines[h] }
	return in
}

func found(in preflight.Input) []string {
	out := []string{}
	for _, r := range preflight.Missing(in) {
		out = append(out, fmt.Sprintf("%s %s: %s later=%v line %d", r.Event, r.Hook.Name, r.Object.Short(), r.Later, r.Line))
	}
	return out
}

const before = `
apiVersion: v1
kind: ConfigMap
metadata: {name: brought-before, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "-1"}}
---
apiVersion: v1
kind: Secret
metadata: {name: temporary, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "-1", helm.sh/hook-delete-policy: hook-succeeded}}
---
apiVersion: v1
kind: Secret
metadata: {name: ordinary}
---
`

const job = `
apiVersion: batch/v1
kind: Job
metadata: {name: a, annotations: {helm.sh/hook: "%s"}}
spec:
  template:
    spec:
      serviceAccountName: %s
      containers:
        - name: main
          envFrom: [{secretRef: {name: ordinary}}, {configMapRef: {name: maybe, optional: true}}]
          env:
            - {name: A, valueFrom: {secretKeyRef: {name: temporary, key: a}}}
            - {name: B, valueFrom: {configMapKeyRef: {name: brought-before, key: a}}}
      volumes:
        - {name: v, persistentVolumeClaim: {claimName: disk}}
        - {name: w, projected: {sources: [{secret: {name: outside}}, {configMap: {name: kube-root-ca.crt}}]}}
`

func TestMissing(t *testing.T) {
	tests := map[string]struct {
		docs string
		want []string
	}{
		"before the apply": {before + fmt.Sprintf(job, "pre-install", "default"), []string{
			"pre-install a: Secret/ordinary later=true line 24",
			"pre-install a: Secret/outside later=false line 30",
			"pre-install a: PersistentVolumeClaim/disk later=false line 29",
		}},
		"after the apply": {before + fmt.Sprintf(job, "post-install", "own"), []string{
			"post-install a: ServiceAccount/own later=false line 21",
			"post-install a: Secret/temporary later=true line 26",
			"post-install a: Secret/outside later=false line 30",
			"post-install a: PersistentVolumeClaim/disk later=false line 29",
		}},
		"of another event": {before + fmt.Sprintf(job, "pre-delete", "own"), []string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := found(input(t, tt.docs))
			less := cmp.Transformer("sort", func(in []string) map[string]bool {
				out := map[string]bool{}
				for _, s := range in {
					out[s] = true
				}
				return out
			})
			if diff := cmp.Diff(tt.want, got, less); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestProblemsAreWorded in a way that says what to do.
func TestProblemsAreWorded(t *testing.T) {
	var texts []string
	for _, r := range preflight.Missing(input(t, before+fmt.Sprintf(job, "pre-install", "default"))) {
		texts = append(texts, r.Problem(diag.Warning, !r.Later).Error())
	}
	text := strings.Join(texts, "\n")
	for _, want := range []string{
		"web/templates/all.yaml:24 (rendered): pre-install hook Job/a needs Secret/ordinary, which the chart brings only after it: make it a hook of the same event with a lower weight",
		"needs Secret/outside, which the chart does not bring, and it is not in the cluster: it must be in namespace shop before",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
}

func TestDeadlines(t *testing.T) {
	doc := "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a, annotations: {helm.sh/hook: pre-install%s}}\nspec:\n  activeDeadlineSeconds: %d\n"
	tests := []struct {
		more    string
		seconds int
		want    string
	}{
		{"", 300, ""},
		{"", 600, "web/templates/all.yaml:5 (rendered): the deadline of hook Job/a is 10m0s, but it is stopped after 5m0s: set pintle.dev/timeout to at least 10m0s, or lower activeDeadlineSeconds"},
		{`, pintle.dev/timeout: "15m"`, 600, ""},
		{`, pintle.dev/timeout: "1m"`, 90, "web/templates/all.yaml:5 (rendered): the deadline of hook Job/a is 1m30s, but it is stopped after 1m0s: set pintle.dev/timeout to at least 1m30s, or lower activeDeadlineSeconds"},
	}
	for _, tt := range tests {
		if got := preflight.Deadlines(input(t, fmt.Sprintf(doc, tt.more, tt.seconds))).Error(); got != tt.want {
			t.Errorf("%s %d: got %q, want %q", tt.more, tt.seconds, got, tt.want)
		}
	}
	forever := input(t, fmt.Sprintf(doc, "", 600))
	forever.Timeout = 0
	if got := preflight.Deadlines(forever); len(got) > 0 {
		t.Errorf("without a limit: %v", got)
	}
}
