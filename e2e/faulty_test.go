package e2e

import (
	"cmp"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hookLines is how many numbered lines each hook of the talking chart says.
const hookLines = 25

// talkingChart has a hook in every phase, a test, and something to wait for.
// Each hook says numbered lines; post-upgrade fails when it is told to. What
// the API server stores of them is not what was sent: half a CPU becomes 500m.
var talkingChart = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\n",
	"values.yaml": "run: 0\nfail: \"\"\npause: 0.05\n",
	"templates/web.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: web-settings}
data: {run: "{{ .Values.run }}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {run: "{{ .Values.run }}"}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: busybox:1.36, command: [sleep, "3600"]}]
`,
	"templates/hooks.yaml": `{{- range list "pre-install" "post-install" "pre-upgrade" "post-upgrade" "pre-rollback" "post-rollback" "pre-delete" "post-delete" "test" }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: web-{{ . }}
  annotations: {helm.sh/hook: {{ . }}}
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {chaos: hook}}
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:1.36
        resources: {limits: {cpu: 0.5}}
        command: [sh, -c, "for i in $(seq ` + fmt.Sprint(hookLines) + `); do echo line $i of {{ . }}; sleep {{ $.Values.pause }}; done; [ '{{ . }}' != '{{ $.Values.fail }}' ]"]
{{- end }}
`,
}

// operation is one command on the release, and what it must come to.
type operation struct {
	args []string
	// exit is the code that it ends with.
	exit int
	// hooks are those that run, each exactly once.
	hooks []string
	// statuses is the history afterwards; nil when it is gone.
	statuses []string
}

// lifetime is a release's life, with everything that hooks can run in.
var lifetime = []operation{
	{[]string{"install", "web", "chart", "--wait"}, 0, []string{"pre-install", "post-install"}, []string{"deployed"}},
	{[]string{"upgrade", "web", "chart", "--wait", "--set", "run=1"}, 0, []string{"pre-upgrade", "post-upgrade"}, []string{"superseded", "deployed"}},
	{[]string{"test", "web"}, 0, []string{"test"}, []string{"superseded", "deployed"}},
	{[]string{"upgrade", "web", "chart", "--wait", "--rollback-on-failure", "--set", "run=2", "--set", "fail=post-upgrade"}, 8,
		[]string{"pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback"}, []string{"superseded", "superseded", "failed", "deployed"}},
	{[]string{"rollback", "web", "1", "--wait"}, 0, []string{"pre-rollback", "post-rollback"}, []string{"superseded", "superseded", "failed", "superseded", "deployed"}},
	{[]string{"uninstall", "web", "--wait"}, 0, []string{"pre-delete", "post-delete"}, nil},
}

// TestFaultyNetwork has a release live its whole life over a network on which
// every twentieth request has a mishap: every operation comes to its right
// end, each hook runs exactly once, every line of its log is kept, once, and
// the history has no gap. $PINTLE_SEED chooses the mishaps.
func TestFaultyNetwork(t *testing.T) {
	t.Parallel()
	c, programs := connect(t), findPrograms(t)
	for name, http1 := range map[string]bool{"HTTP2": false, "HTTP1": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, c, programs, http1)
			seed := seedOf(t)
			f.proxy.troubles(badNetwork(seed, 0.05))
			for _, op := range lifetime {
				f.do(t, op)
			}
			f.leavesNothing(t)
			t.Logf("seed %d: %s", seed, f.proxy.summary())
		})
	}
}

// TestThrottled has the API server turn away every third request: the release
// lives, and nothing is asked again before its time.
func TestThrottled(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, connect(t), findPrograms(t), false)
	f.proxy.troubles(func(a asked, before int) mishap {
		if before%3 == 0 {
			return mishap{kind: refused, code: 429, after: 1 + before%2}
		}
		return mishap{}
	})
	for _, op := range lifetime[:3] {
		f.do(t, op)
	}
	if len(f.proxy.hasty) > 0 {
		t.Errorf("Retry-After was not obeyed:\n%s", strings.Join(f.proxy.hasty, "\n"))
	}
	if n := f.proxy.mishap[refused]; n < 20 {
		t.Errorf("only %d requests were turned away", n)
	}
	t.Log(f.proxy.summary())
}

// TestHeavyLoss loses so much that an operation may fail. Whatever it does, it
// ends, and the next one on a good network sets all right: no hook runs twice in one
// operation, none beside another, and the history has no gap.
func TestHeavyLoss(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, connect(t), findPrograms(t), false)
	seed := seedOf(t)
	failed := 0
	for _, op := range lifetime[:5] {
		f.proxy.troubles(badNetwork(seed, 0.3))
		f.pods.reset()
		out, code := f.run(t, op.args)
		for hook, times := range f.pods.now() {
			if times > 1 {
				t.Errorf("%v: %s ran %d times\n%s", op.args, hook, times, out)
			}
		}
		if code != op.exit {
			failed++
			t.Logf("%v ended with %d:\n%s", op.args, code, out)
		}
		f.proxy.troubles(nil)
		if out, code := f.run(t, []string{"upgrade", "--install", "web", "chart", "--no-hooks", "--wait"}); code != 0 {
			t.Fatalf("after %v, seed %d, nothing goes on (%d):\n%s", op.args, seed, code, out)
		}
		f.check(t, t.Errorf, crash{name: fmt.Sprint(op.args)}, out)
		f.hooks.reset()
	}
	f.do(t, operation{[]string{"uninstall", "web", "--wait"}, 0, []string{"pre-delete", "post-delete"}, nil})
	f.leavesNothing(t)
	t.Logf("seed %d: %d of 5 operations failed; %s", seed, failed, f.proxy.summary())
}

// TestOutage has the API server gone for 20 s at one moment of an upgrade: it
// refuses connections, and those that there were are broken off. The upgrade
// goes on when it is back.
func TestOutage(t *testing.T) {
	t.Parallel()
	moments := map[string]func(a asked) bool{
		"in a hook": func(a asked) bool {
			return a.method == "GET" && a.follow() // the hook runs, and its log is read
		},
		"creating a hook":  func(a asked) bool { return a.method == "POST" && strings.HasSuffix(a.path, "/jobs") },
		"in apply":         func(a asked) bool { return a.method == "PATCH" && strings.HasSuffix(a.path, "/deployments/web") },
		"in wait":          func(a asked) bool { return a.watch() && strings.HasSuffix(a.path, "/deployments") },
		"the final record": func(a asked) bool { return a.method == "PUT" && strings.HasSuffix(a.path, ".web.v2") },
	}
	c, programs := connect(t), findPrograms(t)
	for i, name := range slices.Sorted(maps.Keys(moments)) {
		if chaosStride() > 1 && i%2 == 1 {
			continue
		}
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, c, programs, false)
			f.do(t, lifetime[0])
			down := false
			f.proxy.troubles(func(a asked, _ int) mishap {
				if down || !moments[name](a) {
					return mishap{}
				}
				down = true
				return mishap{kind: outage, cut: 20 * time.Second}
			})
			start := time.Now()
			f.do(t, lifetime[1])
			if took := time.Since(start); !down || took < 20*time.Second {
				t.Errorf("there was no outage: %t, %s", down, took)
			}
			t.Logf("the upgrade took %s", time.Since(start).Round(100*time.Millisecond))
		})
	}
}

// faulty is a scene with a proxy before the API server.
type faulty struct {
	*scene
	proxy *proxy
	pods  *podCount
	logs  int
}

func newFaulty(t *testing.T, c *cluster, programs string, http1 bool) *faulty {
	t.Helper()
	s := newSceneOf(t, c, programs, talkingChart)
	f := &faulty{scene: s, proxy: startProxy(t, c, http1), pods: countPods(t, s)}
	f.proxy.kubeconfig(t, s.namespace, "", s.kubeconfig)
	return f
}

// seedOf is that of the environment, or a new one.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PINTLE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PINTLE_SEED=%d", seed)
	return seed
}

// run runs one operation to its end, its logs into a folder of their own.
func (f *faulty) run(t *testing.T, args []string) (out string, code int) {
	t.Helper()
	f.logs++
	args = append(slices.Clone(args), "--log-dir", f.logDir())
	out, _, err := f.scene.run(t, "", args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out, 0
}

func (f *faulty) logDir() string { return filepath.Join(f.dir, fmt.Sprint("logs", f.logs)) }

// do runs an operation and checks everything that must be so afterwards.
func (f *faulty) do(t *testing.T, op operation) {
	t.Helper()
	f.pods.reset()
	start := time.Now()
	out, code := f.run(t, op.args)
	if code != op.exit {
		t.Fatalf("%v ended with %d:\n%s\n%s", op.args, code, out, f.proxy.story(start))
	}
	took := time.Since(start)
	t.Logf("%v took %s", op.args[:2], took.Round(100*time.Millisecond))
	if took > time.Minute {
		t.Logf("that was long:\n%s\n%s", out, f.proxy.story(start))
	}
	want := map[string]int{}
	for _, hook := range op.hooks {
		want["web-"+hook] = 1
		f.checkLog(t, hook, start)
	}
	// The news of the last pod may still be on its way.
	for end := time.Now().Add(patience); !maps.Equal(want, f.pods.now()) && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if slices.Max(append(slices.Collect(maps.Values(f.pods.now())), 0)) > 1 {
			break
		}
	}
	if diff := gocmp.Diff(want, f.pods.now()); diff != "" {
		t.Errorf("%v: pods of hooks (-want +ran):\n%s\n%s", op.args, diff, out)
	}
	if together := f.hooks.together(); together != "" {
		t.Errorf("%v: hooks ran side by side: %s", op.args, together)
	}
	f.checkHistory(t, op)
}

// checkLog looks for every line of a hook, once and in order.
func (f *faulty) checkLog(t *testing.T, hook string, start time.Time) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(f.logDir(), hook+".web-"+hook+".log"))
	if err != nil {
		t.Error(err)
		return
	}
	var got, want []string
	for line := range strings.Lines(string(text)) {
		if _, said, ok := strings.Cut(line, "/main] "); ok {
			got = append(got, strings.TrimSpace(said))
		}
	}
	for i := range hookLines {
		want = append(want, fmt.Sprintf("line %d of %s", i+1, hook))
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the log of %s (-said +kept):\n%s\nkept:\n%s\n%s", hook, diff, text, f.proxy.story(start))
	}
}

func (f *faulty) checkHistory(t *testing.T, op operation) {
	t.Helper()
	text, _, err := f.scene.run(t, "", "history", "web", "-o", "json")
	if op.statuses == nil {
		if err == nil {
			t.Errorf("%v leaves a history:\n%s", op.args, text)
		}
		return
	}
	var history []struct {
		Revision int    `json:"revision"`
		Status   string `json:"status"`
	}
	if err != nil || stdjson.Unmarshal([]byte(text), &history) != nil {
		t.Errorf("the history cannot be read: %v\n%s", err, text)
		return
	}
	var got []string
	for i, r := range history {
		if r.Revision != i+1 {
			t.Errorf("%v: the history has a gap:\n%s", op.args, text)
		}
		got = append(got, r.Status)
	}
	if diff := gocmp.Diff(op.statuses, got); diff != "" {
		t.Errorf("%v: the history (-want +got):\n%s", op.args, diff)
	}
}

// podCount counts the pods that each hook brings about.
type podCount struct {
	mu sync.Mutex
	// seen are all pods by UID, once those of this operation by Job.
	seen map[string]bool
	once map[string]int
}

func countPods(t *testing.T, s *scene) *podCount {
	t.Helper()
	c := &podCount{seen: map[string]bool{}, once: map[string]int{}}
	eachHookPod(t, s, func(pod *unstructured.Unstructured, _ bool) {
		c.note(string(pod.GetUID()), pod.GetLabels()["batch.kubernetes.io/job-name"])
	})
	return c
}

func (c *podCount) note(uid, job string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.seen[uid] {
		c.seen[uid] = true
		c.once[cmp.Or(job, uid)]++
	}
}

func (c *podCount) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.once)
}

func (c *podCount) now() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.once)
}
