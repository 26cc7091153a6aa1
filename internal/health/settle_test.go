package health

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// running is a pod whose only container runs since started.
func running(t *testing.T, uid string, restarts int, started time.Time, probe string) *unstructured.Unstructured {
	return parse(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: web, uid: %s}
spec: {containers: [{name: main, image: x %s}]}
status: {phase: Running, containerStatuses: [{name: main, ready: true, restartCount: %d, state: {running: {startedAt: %q}}}]}
`, uid, probe, restarts, started.Format(time.RFC3339)))
}

// told has the pod's node tell at that time that the pod is ready.
func told(t *testing.T, pod *unstructured.Unstructured, at time.Time) *unstructured.Unstructured {
	t.Helper()
	ready := map[string]any{"type": "Ready", "status": "True", "lastTransitionTime": at.Format(time.RFC3339)}
	if err := unstructured.SetNestedSlice(pod.Object, []any{ready}, "status", "conditions"); err != nil {
		t.Fatal(err)
	}
	return pod
}

func TestSettling(t *testing.T) {
	start := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	crashed := parse(t, `
apiVersion: v1
kind: Pod
metadata: {name: web, uid: a}
spec: {containers: [{name: main, image: x}]}
status: {phase: Running, containerStatuses: [{name: main, restartCount: 0, state: {terminated: {exitCode: 1}}}]}
`)
	type look struct {
		pod  *unstructured.Unstructured
		at   float64
		want time.Duration
	}
	const probe = ", readinessProbe: {exec: {command: [x]}}"
	cases := map[string][]look{
		"runs long enough": {
			{running(t, "a", 0, start, ""), 0.5, 2 * time.Second},
			{running(t, "a", 0, start, ""), 1.5, time.Second},
			{running(t, "a", 0, start, ""), 2.5, 0},
		},
		"a restart begins anew, and takes longer": {
			{running(t, "a", 0, start, ""), 0, 2 * time.Second},
			{running(t, "a", 1, at(2), ""), 2.5, 10 * time.Second},
			{running(t, "a", 1, at(2), ""), 4.5, 8 * time.Second},
			{running(t, "a", 1, at(2), ""), 12.5, 0},
		},
		"a crash in between begins anew": {
			{running(t, "a", 0, start, ""), 0, 2 * time.Second},
			{crashed, 1, 2 * time.Second},
			{running(t, "a", 1, at(1.5), ""), 2, 10 * time.Second},
		},
		"a node that is slow to tell is given time": {
			{told(t, running(t, "a", 0, start, ""), at(2)), 2.5, 6 * time.Second},
			{told(t, running(t, "a", 0, start, ""), at(2)), 8.5, 0},
		},
		"a node that told at once":                     {{told(t, running(t, "a", 0, start, ""), start), 0.5, 2 * time.Second}},
		"a node's clock that jumped is not waited for": {{told(t, running(t, "a", 0, start, ""), at(3600)), 0.5, 10 * time.Second}},
		"another pod begins anew": {
			{running(t, "a", 0, start, ""), 0, 2 * time.Second},
			{running(t, "b", 0, start, ""), 3, 2 * time.Second},
		},
		"a readiness probe answers for itself": {{running(t, "a", 0, start, probe), 0, 0}},
		"a start long ago is believed":         {{running(t, "a", 0, at(-3600), ""), 0, 0}},
		"the node's clock is behind":           {{running(t, "a", 0, at(-30), ""), 0, 2 * time.Second}},
	}
	for name, looks := range cases {
		t.Run(name, func(t *testing.T) {
			s := Settling{Settle: 2 * time.Second}
			for i, l := range looks {
				if got, _ := s.Remaining([]*unstructured.Unstructured{l.pod}, at(l.at)); got != l.want {
					t.Fatalf("look %d: got %s, want %s", i, got, l.want)
				}
			}
		})
	}
}

func TestSettlingTakesTheSlowestPod(t *testing.T) {
	now := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	s := Settling{Settle: 2 * time.Second}
	first, second := running(t, "a", 0, now, ""), running(t, "b", 0, now, "")
	s.Remaining([]*unstructured.Unstructured{first}, now)
	if got, _ := s.Remaining([]*unstructured.Unstructured{first, second}, now.Add(1500*time.Millisecond)); got != 2*time.Second {
		t.Errorf("got %s, want 2s", got)
	}
	if _, run := s.Remaining([]*unstructured.Unstructured{first, second}, now); !run {
		t.Error("two that run count as if one did not")
	}
	ended := parse(t, `{apiVersion: v1, kind: Pod, spec: {containers: [{name: main}]},
		status: {phase: Running, containerStatuses: [{name: main, state: {terminated: {exitCode: 1}}}]}}`)
	if rest, run := s.Remaining([]*unstructured.Unstructured{first, ended}, now.Add(time.Hour)); run || rest != 2*time.Second {
		t.Errorf("one that has ended: %s, runs: %v", rest, run)
	}
	off := Settling{}
	if got, _ := off.Remaining([]*unstructured.Unstructured{first}, now); got != 0 {
		t.Errorf("without Settle: got %s, want 0", got)
	}
}

func TestNeedsWatch(t *testing.T) {
	cases := []struct {
		group, kind string
		want        bool
	}{
		{"", "ConfigMap", false},
		{"", "Secret", false},
		{"", "Service", true},
		{"", "Pod", true},
		{"apps", "Deployment", true},
		{"batch", "Job", true},
		{"batch", "CronJob", false},
		{"rbac.authorization.k8s.io", "ClusterRoleBinding", false},
		{"networking.k8s.io", "Ingress", false},
		{"example.com", "Secret", true},
		{"cert-manager.io", "Certificate", true},
	}
	for _, c := range cases {
		if got := NeedsWatch(c.group, c.kind); got != c.want {
			t.Errorf("NeedsWatch(%q, %q) = %v", c.group, c.kind, got)
		}
	}
}

func TestJustRestarted(t *testing.T) {
	start := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	pod := func(restarts, code int) *unstructured.Unstructured {
		return parse(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: web, uid: a}
spec: {containers: [{name: main, image: x}]}
status:
  phase: Running
  containerStatuses:
  - {name: main, ready: true, restartCount: %d, state: {running: {startedAt: %q}}, lastState: {terminated: {exitCode: %d}}}
`, restarts, start.Format(time.RFC3339), code))
	}
	cases := []struct {
		name           string
		restarts, code int
		after          time.Duration
		want           bool
	}{
		{"a moment after a crash", 3, 1, time.Second, true},
		{"long after a crash", 3, 1, time.Minute, false},
		{"first life", 0, 0, time.Second, false},
		{"ended well before", 2, 0, time.Second, false},
	}
	for _, c := range cases {
		if got := JustRestarted(pod(c.restarts, c.code), start.Add(c.after), 10*time.Second); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

// A container that runs again has ended before, which is told when the time is up.
func TestExplainRestarts(t *testing.T) {
	pod := parse(t, `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, uid: a}
spec: {containers: [{name: main, image: x}, {name: side, image: x}]}
status:
  phase: Running
  containerStatuses:
  - {name: main, restartCount: 2, state: {running: {}}, lastState: {terminated: {exitCode: 3, reason: Error}}}
  - {name: side, restartCount: 1, state: {running: {}}, lastState: {terminated: {exitCode: 0, reason: Completed}}}
`)
	related := Related{Logs: map[LogKey][]string{{Namespace: "shop", Pod: "web", Container: "main"}: {"no database"}}}
	got := ExplainRestarts(pod, related)
	if len(got) != 1 || got[0].Subject != "Pod/shop/web" || len(got[0].Children) != 1 {
		t.Fatalf("%+v", got)
	}
	c := got[0].Children[0]
	if c.Subject != "container main" || c.Message != "ended with exit code 3; it was restarted 2 times, and runs again" || len(c.Lines) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestOver(t *testing.T) {
	const ended, failed, runs = "state: {terminated: {exitCode: 0}}", "state: {terminated: {exitCode: 7}}", "state: {running: {}}"
	cases := map[string]struct {
		policy, spec, status string
		want                 bool
	}{
		"all have ended":                    {"Never", "containers: [{name: a}, {name: b}]", "containerStatuses: [{name: a, " + ended + "}, {name: b, " + failed + "}]", true},
		"one runs":                          {"Never", "containers: [{name: a}, {name: b}]", "containerStatuses: [{name: a, " + failed + "}, {name: b, " + runs + "}]", false},
		"it will be restarted":              {"OnFailure", "containers: [{name: a}]", "containerStatuses: [{name: a, " + failed + "}]", false},
		"nothing is known":                  {"Never", "containers: [{name: a}]", "", false},
		"an init container has failed":      {"Never", "initContainers: [{name: i}], containers: [{name: a}]", "initContainerStatuses: [{name: i, " + failed + "}]", true},
		"an init container has ended well":  {"Never", "initContainers: [{name: i}], containers: [{name: a}]", "initContainerStatuses: [{name: i, " + ended + "}]", false},
		"a container has a rule of its own": {"Never", "containers: [{name: a, restartPolicy: OnFailure}]", "containerStatuses: [{name: a, " + failed + "}]", false},
		"only a sidecar runs": {
			"Never", "initContainers: [{name: i, restartPolicy: Always}], containers: [{name: a}]",
			"initContainerStatuses: [{name: i, " + runs + "}], containerStatuses: [{name: a, " + failed + "}]", true,
		},
	}
	for name, c := range cases {
		pod := parse(t, fmt.Sprintf("{apiVersion: v1, kind: Pod, spec: {restartPolicy: %s, %s}, status: {phase: Running, %s}}", c.policy, c.spec, c.status))
		if got := Over(pod); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
