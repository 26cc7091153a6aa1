package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// signalled is a command that is at work when a signal comes.
type signalled struct {
	name   string
	before [][]string
	args   []string
	// slow is the path of the request that hangs; empty for a command whose hook runs.
	slow string
	// status is what the latest revision is afterwards; empty for none.
	status string
}

// slowHooks make every hook last longer than any test.
var slowHooks = []string{"--set", "pause=30"}

var signalledCommands = []signalled{
	{name: "install", args: append([]string{"install", "web", "chart"}, slowHooks...), status: "failed"},
	{name: "upgrade", before: [][]string{{"install", "web", "chart", "--no-hooks"}}, args: append([]string{"upgrade", "web", "chart"}, slowHooks...), status: "failed"},
	{
		name: "rollback", before: [][]string{append([]string{"install", "web", "chart", "--no-hooks"}, slowHooks...), {"upgrade", "web", "chart", "--no-hooks"}},
		args: []string{"rollback", "web", "1"}, status: "failed",
	},
	{name: "test", before: [][]string{append([]string{"install", "web", "chart", "--no-hooks"}, slowHooks...)}, args: []string{"test", "web"}, status: "deployed"},
	{name: "uninstall", before: [][]string{append([]string{"install", "web", "chart", "--no-hooks"}, slowHooks...)}, args: []string{"uninstall", "web"}, status: "deployed"},
	{
		name: "hooks run", before: [][]string{append([]string{"install", "web", "chart", "--no-hooks"}, slowHooks...)},
		args: []string{"hooks", "run", "web", "web-pre-upgrade"}, status: "deployed",
	},
	{name: "unlock", before: [][]string{{"install", "web", "chart", "--no-hooks"}}, args: []string{"unlock", "web", "--yes"}, slow: "/secrets", status: "deployed"},
	{name: "hooks clean", before: [][]string{{"install", "web", "chart", "--no-hooks"}}, args: []string{"hooks", "clean", "web"}, slow: "/secrets", status: "deployed"},
	{name: "template", args: []string{"template", "web", "chart", "--validate"}, slow: "/apis"},
	{name: "status", before: [][]string{{"install", "web", "chart", "--no-hooks"}}, args: []string{"status", "web"}, slow: "/secrets", status: "deployed"},
	{name: "list", args: []string{"list"}, slow: "/secrets"},
}

// TestSignals sends SIGINT and SIGTERM, once and twice, to every command while
// its hook runs or the API server does not answer. It ends, with the exit code of the
// signal, leaves no pending record and no lock, and no hook at work, unless it
// was told to leave it or had to leave at once.
func TestSignals(t *testing.T) {
	t.Parallel()
	c, programs := connect(t), findPrograms(t)
	ways := []struct {
		name   string
		signal syscall.Signal
		twice  bool
		leave  bool
	}{
		{"SIGINT", syscall.SIGINT, false, false}, {"SIGTERM twice", syscall.SIGTERM, true, false},
		{"SIGTERM", syscall.SIGTERM, false, false}, {"SIGINT twice", syscall.SIGINT, true, false}, {"left running", syscall.SIGINT, false, true},
	}
	for i, command := range signalledCommands {
		for j, way := range ways {
			if chaosStride() > 1 && (i+j)%chaosStride() != 0 || way.leave && command.slow != "" {
				continue
			}
			t.Run(strings.ReplaceAll(command.name+" "+way.name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				f := newFaulty(t, c, programs, false)
				for _, args := range command.before {
					if out, _, err := f.scene.run(t, "", args...); err != nil {
						t.Fatalf("%v: %v\n%s", args, err, out)
					}
				}
				args := command.args
				if way.leave {
					args = append(args[:len(args):len(args)], "--on-interrupt=leave")
				}
				out, code := f.signal(t, command, args, way.signal, way.twice)
				if want := 128 + int(way.signal); code != want {
					t.Errorf("%v ended with %d, not %d\n%s", args, code, want, out)
				}
				f.checkSignalled(t, command, way.twice || way.leave, out)
			})
		}
	}
}

// signal runs a command, sends it signals when it is at work, and gives its exit code.
func (f *faulty) signal(t *testing.T, command signalled, args []string, signal syscall.Signal, twice bool) (out string, code int) {
	t.Helper()
	var once sync.Once
	hanging := make(chan struct{})
	f.pods.reset()
	if command.slow != "" {
		f.proxy.troubles(func(a asked, _ int) mishap {
			if !strings.Contains(a.path, command.slow) {
				return mishap{}
			}
			once.Do(func() { close(hanging) })
			return mishap{kind: delayed, delay: time.Hour}
		})
	}
	var text bytes.Buffer
	cmd := exec.CommandContext(t.Context(), f.pintle, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = f.dir, &text, &text
	cmd.Env = append(os.Environ(), "KUBECONFIG="+f.kubeconfig, "HELM_NAMESPACE="+f.namespace)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	if command.slow != "" {
		<-hanging
	} else {
		f.awaitHook(t)
	}
	_ = cmd.Process.Signal(signal) // one that has ended is found below
	if twice {
		time.Sleep(50 * time.Millisecond) // two at the same instant are one
		_ = cmd.Process.Signal(signal)
	}
	select {
	case err := <-done:
		f.proxy.troubles(nil)
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatalf("%v ended with %v\n%s", args, err, text.String())
		}
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return text.String(), 128 + int(status.Signal())
		}
		return text.String(), exit.ExitCode()
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		t.Fatalf("%v does not end", args)
	}
	return "", 0
}

// awaitHook waits until a hook's pod runs.
func (f *faulty) awaitHook(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if f.hooksRunning(t) != "" {
			return
		}
	}
	t.Fatal("no hook runs")
}

// hooksRunning names a pod of a hook that runs; empty for none.
func (f *faulty) hooksRunning(t *testing.T) string {
	t.Helper()
	for _, pod := range f.objectsOf(t, schema.GroupVersionResource{Version: "v1", Resource: "pods"}, "chaos=hook") {
		if phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase"); phase == "Running" {
			return pod.GetName()
		}
	}
	return ""
}

func (f *faulty) checkSignalled(t *testing.T, command signalled, mayRun bool, out string) {
	t.Helper()
	if running := f.hooksRunning(t); !mayRun && running != "" {
		t.Errorf("%s is left running\n%s", running, out)
	}
	if left := f.list(t, schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}, "owner=pintle"); len(left) > 0 {
		t.Errorf("locks are left: %v\n%s", left, out)
	}
	records := f.objectsOf(t, schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, "owner=helm")
	status := ""
	if len(records) > 0 {
		status = records[len(records)-1].GetLabels()["status"]
	}
	if status != command.status {
		t.Errorf("the latest revision is %q, not %q\n%s", status, command.status, out)
	}
}
