package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/cli"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// soakOperations is how many operations the short form runs.
const soakOperations = 12

// TestSoak runs operations one after another in this process, $OPERATIONS of
// them, and looks for what piles up: goroutines, memory, files, and objects in
// the cluster.
func TestSoak(t *testing.T) {
	operations := soakOperations
	if text := os.Getenv("OPERATIONS"); text != "" {
		var err error
		if operations, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	s := newSceneOf(t, connect(t), findPrograms(t), soakChart)
	cycle := [][]string{
		{"install", "web", s.chart(), "--wait"},
		{"upgrade", "web", s.chart(), "--wait", "--set", "run=1"},
		{"test", "web", "--logs"},
		{"upgrade", "web", s.chart(), "--set", "run=2", "--history-max", "2"},
		{"rollback", "web", "--wait"},
		{"uninstall", "web", "--wait"},
	}
	perRun := s.costOfARun(t, cycle)
	var first, last soakState
	start := time.Now()
	for i := range operations {
		args := cycle[i%len(cycle)]
		if code, out := s.inProcess(t, args); code != 0 {
			t.Fatalf("operation %d, %v, ended with %d:\n%s", i+1, args, code, out)
		}
		if (i+1)%len(cycle) != 0 {
			continue
		}
		last = soakStateNow(t)
		if i+1 == len(cycle) {
			first = last // the first cycle fills what is kept for good, such as caches
		}
		if i+1 == len(cycle) || (i+1)%(5*len(cycle)) == 0 || i+1+len(cycle) > operations {
			t.Logf("after %d operations and %s: %s", i+1, time.Since(start).Round(time.Second), last)
		}
	}
	if rest := operations % len(cycle); rest != 0 {
		_, _ = s.inProcess(t, cycle[len(cycle)-1]) // what it leaves is looked for below
	}
	first.heap += perRun * uint64(operations)
	last.compare(t, first)
	s.leavesNothing(t)
}

// costOfARun is how much memory a command line of the cycle leaves behind, on
// average, before it does anything: cobra keeps what completes a flag in a variable of
// its package, and with it the command that is called. A program that runs one command line does not notice.
func (s *scene) costOfARun(t *testing.T, cycle [][]string) uint64 {
	t.Helper()
	const rounds = 5
	help := func() {
		for _, args := range cycle {
			if code, out := s.inProcess(t, []string{args[0], "--help"}); code != 0 {
				t.Fatalf("%s --help ended with %d:\n%s", args[0], code, out)
			}
		}
	}
	help() // what is set up once
	before := soakStateNow(t)
	for range rounds {
		help()
	}
	after := soakStateNow(t)
	cost := (max(after.heap, before.heap) - before.heap) / uint64(rounds*len(cycle))
	t.Logf("each command line leaves %d KiB to cobra", cost>>10)
	return cost
}

// soakChart has hooks and a test that take no time, and something to wait for.
var soakChart = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\n",
	"values.yaml": "run: 0\n",
	"templates/all.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {run: "{{ .Values.run }}"}
---
apiVersion: v1
kind: Pod
metadata: {name: web-test, annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}}
spec:
  restartPolicy: Never
  containers: [{name: main, image: busybox:1.36, command: [echo, fine]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: web-hook, annotations: {helm.sh/hook: "pre-install,post-upgrade,pre-rollback,pre-delete", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox:1.36, command: [sh, -c, "seq 200"]}]
`,
}

func (s *scene) chart() string { return filepath.Join(s.dir, "chart") }

// inProcess runs one command line in this process.
func (s *scene) inProcess(t *testing.T, args []string) (code int, out string) {
	t.Helper()
	var text bytes.Buffer
	streams := cli.Streams{In: strings.NewReader(""), Out: &text, Err: &text}
	env := func(name string) (string, bool) {
		switch name {
		case "HELM_NAMESPACE":
			return s.namespace, true
		case "KUBECONFIG":
			return s.kubeconfig, true
		case "HELM_DRIVER", "HELM_DEBUG":
			return "", false
		}
		return os.LookupEnv(name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	code = cli.Main(ctx, append(append([]string{"pintle"}, args...), "--kubeconfig", s.kubeconfig), streams, env)
	return code, text.String()
}

// soakState is what must not grow.
type soakState struct {
	goroutines, files int
	heap              uint64
}

func soakStateNow(t *testing.T) soakState {
	t.Helper()
	runtime.GC()
	runtime.GC() // what finalizers have let go of
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return soakState{goroutines: runtime.NumGoroutine(), files: len(files), heap: memory.HeapAlloc}
}

func (s soakState) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %.1f MiB of heap", s.goroutines, s.files, float64(s.heap)/(1<<20))
}

// The most that may have come on top since the first cycle, however many
// operations have run. Connections that are idle end by themselves after a while.
const (
	moreGoroutines = 12
	moreFiles      = 4
	moreHeap       = 6 << 20
)

// compare looks for growth; what is only slow to end is waited for.
func (s soakState) compare(t *testing.T, first soakState) {
	t.Helper()
	grown := func() bool {
		return s.goroutines > first.goroutines+moreGoroutines || s.files > first.files+moreFiles || s.heap > first.heap+moreHeap
	}
	for end := time.Now().Add(30 * time.Second); grown() && time.Now().Before(end); s = soakStateNow(t) {
		time.Sleep(time.Second)
	}
	if !grown() {
		return
	}
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(io.Writer(&stacks), 1) // a builder takes everything
	t.Errorf("it has grown: from %s to %s\n%.8000s", first, s, stacks.String())
}

// leavesNothing looks for what an uninstalled release must not leave.
func (s *scene) leavesNothing(t *testing.T) {
	t.Helper()
	for resource, selector := range map[schema.GroupVersionResource]string{
		{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}: "owner=pintle",
		{Version: "v1", Resource: "secrets"}:                              "owner=helm",
		{Version: "v1", Resource: "configmaps"}:                           "app.kubernetes.io/managed-by=Helm",
		{Group: "apps", Version: "v1", Resource: "deployments"}:           "",
	} {
		if left := s.list(t, resource, selector); len(left) > 0 {
			t.Errorf("left behind: %s %v", resource.Resource, left)
		}
	}
}
