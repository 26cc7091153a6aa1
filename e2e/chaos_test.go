package e2e

import (
	"bytes"
	"cmp"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/tools/clientcmd"
)

// chaosChart has a hook in every phase; each says its name and takes a moment.
var chaosChart = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\n",
	"values.yaml": "sleep: 0.5\nrun: 0\n",
	"templates/settings.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: web-settings}
data: {run: "{{ .Values.run }}"}
`,
	"templates/hooks.yaml": `{{- range list "pre-install" "post-install" "pre-upgrade" "post-upgrade" "pre-rollback" "post-rollback" "pre-delete" "post-delete" }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: web-{{ . }}
  annotations:
    helm.sh/hook: {{ . }}
    helm.sh/hook-delete-policy: before-hook-creation{{ if hasPrefix "post" . }},hook-succeeded{{ end }}
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {chaos: hook}}
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: busybox:1.36, command: [sh, -c, "echo {{ . }}; sleep {{ $.Values.sleep }}"]}]
{{- end }}
`,
}

// crash is one operation that is killed, and the plain command after it.
type crash struct {
	name string
	// before brings the release into the state from which the operation starts.
	before [][]string
	// killed is the operation, next the command that must set all right.
	killed, next []string
	// once tells that no hook of the operation may have run twice.
	once bool
	// gone tells that the release is gone when all is right.
	gone bool
}

var crashes = []crash{
	{
		name: "install", killed: []string{"install", "web", "chart", "--wait"},
		next: []string{"upgrade", "--install", "web", "chart", "--wait"},
	},
	{
		name: "upgrade", before: [][]string{{"install", "web", "chart", "--no-hooks"}},
		killed: []string{"upgrade", "web", "chart", "--wait", "--set", "run=1"}, next: []string{"upgrade", "web", "chart", "--wait", "--set", "run=2"},
	},
	{
		name: "resumed upgrade", before: [][]string{{"install", "web", "chart", "--no-hooks"}},
		killed: []string{"upgrade", "web", "chart", "--wait", "--set", "run=1"},
		next:   []string{"upgrade", "web", "chart", "--wait", "--set", "run=1", "--resume"}, once: true,
	},
	{
		name:   "rollback",
		before: [][]string{{"install", "web", "chart", "--no-hooks"}, {"upgrade", "web", "chart", "--no-hooks", "--set", "run=1"}},
		killed: []string{"rollback", "web", "1", "--wait"}, next: []string{"rollback", "web", "1", "--wait"},
	},
	{
		name: "uninstall", before: [][]string{{"install", "web", "chart", "--no-hooks"}},
		killed: []string{"uninstall", "web", "--wait"}, next: []string{"uninstall", "web", "--wait", "--ignore-not-found"}, gone: true,
	},
	{
		name: "upgrade after a killed uninstall", before: [][]string{{"install", "web", "chart", "--no-hooks"}},
		killed: []string{"uninstall", "web"}, next: []string{"upgrade", "--install", "web", "chart", "--wait"},
	},
	{
		name: "uninstall after a killed upgrade", before: [][]string{{"install", "web", "chart", "--no-hooks"}},
		killed: []string{"upgrade", "web", "chart", "--set", "run=1"}, next: []string{"uninstall", "web", "--wait"}, gone: true,
	},
}

// TestCrashes kills operations at the boundaries of their steps and in the
// middle of them, and has the plain next command go on: with no help, no hook
// running beside an old one, a history without a gap, and a ledger that tells of
// every hook's pod that ever ran. With PINTLE_CHAOS=full
// it is every boundary and the middle of every step, otherwise every fifth moment.
func TestCrashes(t *testing.T) {
	t.Parallel()
	c := connect(t)
	programs := findPrograms(t)
	stride := chaosStride()
	report := &chaosReport{}
	t.Cleanup(func() { t.Log(report) })
	for i, crash := range crashes {
		t.Run(strings.ReplaceAll(crash.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, c, programs)
			// The crash is over when a run is not killed any more: it has fewer steps.
			for step := 1; ; step++ {
				finished := false
				for j, at := range []string{fmt.Sprint(step), fmt.Sprintf("%d:700ms", step)} {
					if (2*step+j+i)%stride != 0 && stride > 1 {
						continue
					}
					if whole := s.play(t, crash, at, report); j == 0 && whole {
						finished = true
						break
					}
				}
				if finished || step > 40 {
					return
				}
			}
		})
	}
}

// rivals are the operations that compete for one release.
var rivals = [][]string{
	{"upgrade", "--install", "web", "chart"},
	{"rollback", "web"},
	{"upgrade", "web", "chart", "--wait"},
	{"test", "web"},
	{"uninstall", "web"},
	{"install", "web", "chart"},
}

// TestCompetingRuns has two to ten processes work on one release at once, with
// all operations mixed: the outcomes are those of a row in some order. No hook runs
// beside another, no revision is missing or there twice, and those who did not wait
// are told that another run is at work. Some are killed, and nobody has to help.
func TestCompetingRuns(t *testing.T) {
	t.Parallel()
	sizes := []int{2, 5, 10}
	if chaosStride() == 1 {
		sizes = []int{2, 3, 4, 5, 6, 7, 8, 9, 10}
	}
	c, programs := connect(t), findPrograms(t)
	for _, size := range sizes {
		for name, killing := range map[string]bool{"all live": false, "some are killed": true} {
			t.Run(fmt.Sprintf("%d, %s", size, name), func(t *testing.T) {
				t.Parallel()
				compete(t, newScene(t, c, programs), size, killing)
			})
		}
	}
}

func compete(t *testing.T, s *scene, size int, killing bool) {
	t.Helper()
	if out, _, err := s.run(t, "", "install", "web", "chart", "--no-hooks"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var group sync.WaitGroup
	for i := range size {
		group.Go(func() {
			args := append(slices.Clone(rivals[i%len(rivals)]), "--timeout", "3m")
			patient := i%3 != 2
			if patient {
				args = append(args, "--lock-wait", "5m")
			}
			at := ""
			if killing && i%3 == 1 {
				at = fmt.Sprintf("%d:%dms", 2+i%4, 200*i)
			}
			out, killed, err := s.run(t, at, args...)
			code := 0
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				code = exit.ExitCode()
			}
			// What an uninstall has removed cannot be rolled back, and what is there not installed.
			if code != 0 && code != refusedCode && !(killed && at != "") && !(code == lockedCode && !patient) {
				t.Errorf("%v ended with %v\n%s", args, err, out)
			}
		})
	}
	group.Wait()
	out, _, err := s.run(t, "", "upgrade", "--install", "web", "chart", "--wait", "--history-max", "0")
	if err != nil {
		t.Fatalf("nothing goes on: %v\n%s", err, out)
	}
	s.check(t, t.Errorf, crash{name: "competing runs"}, out)
}

// The exit codes of runs that do not come to work.
const (
	lockedCode  = 6
	refusedCode = 7
)

// TestInterrupts is TestCrashes with Ctrl-C: the interrupted run itself leaves a
// final record and nothing at work.
func TestInterrupts(t *testing.T) {
	t.Parallel()
	c := connect(t)
	programs := findPrograms(t)
	report := &chaosReport{}
	t.Cleanup(func() { t.Log(report) })
	for i, crash := range crashes[:5] {
		if crash.once {
			continue // what was interrupted is over, and is not resumed
		}
		t.Run(strings.ReplaceAll(crash.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, c, programs)
			for step := 1 + i%2; step <= 40; step += chaosStride() {
				if s.play(t, crash, fmt.Sprintf("int:%d:%dms", step, 100+step%3*400), report) {
					return
				}
			}
		})
	}
}

// chaosStride is the distance of the moments that are tried.
func chaosStride() int {
	if os.Getenv("PINTLE_CHAOS") == "full" {
		return 1
	}
	return 5
}

// chaosReport is what came of all cases.
type chaosReport struct {
	mu            sync.Mutex
	cases, passed int
	slowest       time.Duration
	slowestCase   string
}

func (r *chaosReport) add(name string, passed bool, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cases++
	if passed {
		r.passed++
	}
	if took > r.slowest {
		r.slowest, r.slowestCase = took, name
	}
}

// String is one line.
func (r *chaosReport) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("crashes: %d cases, %d passed, slowest recovery %s (%s)", r.cases, r.passed, r.slowest.Round(100*time.Millisecond), r.slowestCase)
}

// scene is a namespace with a chart, and who watches its hooks.
type scene struct {
	*cluster
	namespace, dir, kubeconfig, pintle string
	hooks                              *hookWatch
}

func newScene(t *testing.T, c *cluster, programs string) *scene {
	t.Helper()
	return newSceneOf(t, c, programs, chaosChart)
}

func newSceneOf(t *testing.T, c *cluster, programs string, chart map[string]string) *scene {
	t.Helper()
	s := &scene{cluster: c, dir: t.TempDir(), namespace: "e2e-chaos-" + rand.String(6), pintle: filepath.Join(programs, "pintle")}
	if own := os.Getenv("PINTLE_E2E_BINARY"); own != "" {
		s.pintle = own
	}
	ns := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": s.namespace, "labels": map[string]any{runLabel: cmp.Or(os.Getenv("PINTLE_E2E_RUN"), "none")}},
	}}
	if _, err := c.objects.Resource(namespaces).Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.objects.Resource(namespaces).Delete(context.WithoutCancel(t.Context()), s.namespace, metav1.DeleteOptions{}) // the next run of the stories finds it by its label
	})
	for name, text := range chart {
		path := filepath.Join(s.dir, "chart", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*c.config, s.kubeconfig); err != nil {
		t.Fatal(err)
	}
	s.hooks = watchHooks(t, s)
	return s
}

// interrupted is the exit code after Ctrl-C.
const interrupted = 130

// run runs pintle and returns what it wrote; killed tells that it died.
func (s *scene) run(t *testing.T, at string, args ...string) (output string, killed bool, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.pintle, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig, "HELM_NAMESPACE="+s.namespace, "PINTLE_TEST_KILL_AT="+at)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	code := 0
	if cmd.ProcessState != nil {
		code = cmd.ProcessState.ExitCode()
	}
	return out.String(), ctx.Err() == nil && (code == -1 || code == interrupted), err
}

// play kills the operation at one moment and has the next command set all
// right. It reports whether the operation came to its end before the moment.
func (s *scene) play(t *testing.T, c crash, at string, report *chaosReport) bool {
	t.Helper()
	name := c.name + " at " + at
	passed := true
	fail := func(format string, args ...any) {
		t.Helper()
		passed = false
		t.Errorf(name+": "+format, args...)
	}
	for _, args := range c.before {
		if out, _, err := s.run(t, "", args...); err != nil {
			t.Fatalf("%s: preparing with %v: %v\n%s", name, args, err, out)
		}
	}
	s.hooks.reset()
	first, killed, err := s.run(t, at, c.killed...)
	if !killed && err != nil {
		fail("it failed instead of dying: %v\n%s", err, first)
	}
	if !killed {
		c.once = false // it came to its end: what is next is another revision
	}
	if strings.HasPrefix(at, "int:") && killed {
		s.checkInterrupted(t, fail, first)
	}
	time.Sleep(time.Second) // the API server may be at work yet on what the killed run had asked for last
	s.hooks.lose(s.goneJobs(t))
	start := time.Now()
	out, _, err := s.run(t, "", c.next...)
	took := time.Since(start)
	if err != nil {
		fail("%v does not go on: %v\n%s\nafter:\n%s", c.next, err, out, first)
	}
	s.check(t, fail, c, out)
	s.checkLedger(t, fail, out)
	report.add(name, passed, took)
	t.Logf("%s: cut short %t, passed %t, set right in %s", name, killed, passed, took.Round(100*time.Millisecond))
	s.clear(t)
	return !killed
}

// checkInterrupted looks for what an interrupted run must not leave.
func (s *scene) checkInterrupted(t *testing.T, fail func(string, ...any), out string) {
	t.Helper()
	for resource, selector := range map[schema.GroupVersionResource]string{
		{Version: "v1", Resource: "secrets"}: "owner=helm,status in (pending-install,pending-upgrade,pending-rollback)",
		{Version: "v1", Resource: "pods"}:    "chaos=hook",
	} {
		for _, item := range s.objectsOf(t, resource, selector) {
			if phase, _, _ := unstructured.NestedString(item.Object, "status", "phase"); resource.Resource != "pods" || phase == "Running" {
				fail("the interrupted run leaves %s %s\n%s", resource.Resource, item.GetName(), out)
			}
		}
	}
}

// check looks for everything that must hold when the next command has run.
func (s *scene) check(t *testing.T, fail func(string, ...any), c crash, out string) {
	t.Helper()
	if together := s.hooks.together(); together != "" {
		fail("hooks ran side by side: %s\n%s", together, out)
	}
	if twice := s.hooks.twice(); c.once && twice != "" {
		fail("%s ran twice\n%s", twice, out)
	}
	if left := s.list(t, schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}, "owner=pintle"); len(left) > 0 {
		fail("locks are left behind: %v", left)
	}
	settings := s.list(t, schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, "app.kubernetes.io/managed-by=Helm")
	records := s.list(t, schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, "owner=helm")
	if c.gone {
		if len(settings)+len(records) > 0 {
			fail("left behind: %v %v", settings, records)
		}
		return
	}
	if len(settings) != 1 {
		fail("the release's objects are %v", settings)
	}
	text, _, err := s.run(t, "", "history", "web", "-o", "json")
	var history []struct {
		Revision int    `json:"revision"`
		Status   string `json:"status"`
	}
	if err != nil || stdjson.Unmarshal([]byte(text), &history) != nil || len(history) == 0 {
		fail("the history cannot be read: %v\n%s", err, text)
		return
	}
	for i, r := range history {
		last := i == len(history)-1
		if r.Revision != i+1 || last != (r.Status == "deployed") || strings.HasPrefix(r.Status, "pending") || r.Status == "uninstalling" {
			fail("the history is not right:\n%s", text)
			return
		}
	}
}

// clear removes everything, for the next case.
func (s *scene) clear(t *testing.T) {
	t.Helper()
	if out, _, err := s.run(t, "", "uninstall", "web", "--no-hooks", "--wait", "--ignore-not-found"); err != nil {
		t.Fatalf("clearing up: %v\n%s", err, out)
	}
	jobs := schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	foreground := metav1.DeletePropagationForeground
	err := s.objects.Resource(jobs).Namespace(s.namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{PropagationPolicy: &foreground}, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); len(s.list(t, jobs, "")) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("clearing up: Jobs do not go")
		}
	}
}

func (s *scene) list(t *testing.T, resource schema.GroupVersionResource, selector string) []string {
	t.Helper()
	var names []string
	for _, item := range s.objectsOf(t, resource, selector) {
		names = append(names, item.GetName())
	}
	return names
}

func (s *scene) objectsOf(t *testing.T, resource schema.GroupVersionResource, selector string) []unstructured.Unstructured {
	t.Helper()
	list, err := s.objects.Resource(resource).Namespace(s.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// hookWatch sees every hook's pod run, and remembers which ran together.
type hookWatch struct {
	mu      sync.Mutex
	running map[string]bool
	seen    []string
	// pods are all that were seen, by the Job that they belong to.
	pods map[string]map[string]bool
	// ran are those of them that were seen to run, by name.
	ran map[string]hookPod
}

func watchHooks(t *testing.T, s *scene) *hookWatch {
	t.Helper()
	h := &hookWatch{running: map[string]bool{}, pods: map[string]map[string]bool{}, ran: map[string]hookPod{}}
	eachHookPod(t, s, h.note)
	return h
}

// eachHookPod tells of every change of the pods that hooks of the scene bring
// about, until the test ends.
func eachHookPod(t *testing.T, s *scene, tell func(pod *unstructured.Unstructured, gone bool)) {
	t.Helper()
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	w, err := s.objects.Resource(pods).Namespace(s.namespace).Watch(t.Context(), metav1.ListOptions{LabelSelector: "chaos=hook"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	go func() {
		for event := range w.ResultChan() {
			if pod, ok := event.Object.(*unstructured.Unstructured); ok {
				tell(pod, string(event.Type) == "DELETED")
			}
		}
	}()
}

func (h *hookWatch) note(pod *unstructured.Unstructured, gone bool) {
	phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
	h.mu.Lock()
	defer h.mu.Unlock()
	job := pod.GetLabels()["batch.kubernetes.io/job-name"]
	if h.pods[job] == nil {
		h.pods[job] = map[string]bool{}
	}
	h.pods[job][pod.GetName()] = true
	if owners := pod.GetOwnerReferences(); phase != "Pending" && len(owners) > 0 {
		h.ran[pod.GetName()] = hookPod{job: job, uid: string(owners[0].UID), cut: killedEarly(pod, h.ran[pod.GetName()].cut)}
	}
	if phase != "Running" || gone {
		delete(h.running, pod.GetName())
		return
	}
	h.running[pod.GetName()] = true
	if len(h.running) < 2 {
		return
	}
	var names []string
	for name := range h.running {
		names = append(names, name)
	}
	slices.Sort(names)
	h.seen = append(h.seen, strings.Join(names, " and "))
}

func (h *hookWatch) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen, h.pods, h.ran = nil, map[string]map[string]bool{}, map[string]hookPod{}
}

// twice names a hook that has had more than one pod; empty for none.
func (h *hookWatch) twice() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for job, pods := range h.pods {
		if len(pods) > 1 {
			return job
		}
	}
	return ""
}

// together names hooks that were seen to run side by side; empty for none.
func (h *hookWatch) together() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.seen, "; ")
}
