// Package selftest tries the built sandbox on this machine: that a cluster works
// in every part that releases use, and that whatever happens to it, nothing of it
// remains. It needs root, the built programs and a machine without a sandbox, and
// runs only when PINTLE_SANDBOX_SELFTEST names the folder of built programs, as
// sandbox/selftest.sh does.
package selftest

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	dir = "/var/lib/pintle-sandbox-selftest"
	// limit for any one command. A busy machine is slow, but not that slow.
	limit = 3 * time.Minute
)

//go:embed workload.yaml
var workload string

// sandbox runs the built programs.
type sandbox struct {
	bin string
	// before is what was on the machine before the first sandbox.
	before   []string
	settings string
}

// start skips the test where it cannot run, and makes sure that it ends without a
// sandbox.
func start(t *testing.T) *sandbox {
	t.Helper()
	bin := os.Getenv("PINTLE_SANDBOX_SELFTEST")
	if bin == "" {
		t.Skip("starts real clusters: run sandbox/selftest.sh as root")
	}
	if os.Geteuid() != 0 {
		t.Fatal("needs root")
	}
	s := &sandbox{bin: bin}
	if owner, err := os.ReadFile("/sys/class/net/pintle0/ifalias"); err == nil && strings.TrimSpace(string(owner)) != dir {
		t.Skipf("a sandbox is up in %s, and a machine has room for one", strings.TrimSpace(string(owner)))
	}
	s.must(t, "pintle-sandbox", "down")
	s.before, s.settings = traces(t, dir), settings(t)
	t.Cleanup(func() {
		if out, err := s.run(t, "", "pintle-sandbox", "down"); err != nil {
			t.Errorf("down: %v\n%s", err, out)
		}
		expectNoNew(t, dir, s.before)
		if now := settings(t); now != s.settings {
			t.Errorf("kernel settings changed from\n%s\nto\n%s", s.settings, now)
		}
	})
	return s
}

// settings reads the kernel settings that kubelet and the network need changed.
func settings(t *testing.T) string {
	t.Helper()
	var all []string
	for _, name := range []string{"net/ipv4/ip_forward", "kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom"} {
		raw, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name+"="+strings.TrimSpace(string(raw)))
	}
	return strings.Join(all, "\n")
}

// run runs one of the built programs on the test's sandbox.
func (s *sandbox) run(t *testing.T, stdin, name string, args ...string) (string, error) {
	t.Helper()
	// Clean-up runs after the test's own context has ended.
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Env = append(os.Environ(), "PINTLE_SANDBOX_DIR="+dir, "KUBECONFIG="+filepath.Join(dir, "kubeconfig"))
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}

func (s *sandbox) must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := s.run(t, "", name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func (s *sandbox) up(t *testing.T) {
	t.Helper()
	t.Log(s.must(t, "pintle-sandbox", "up"))
}

// runJob runs a job to its end and returns what it printed.
func (s *sandbox) runJob(t *testing.T, name, image string, command ...string) string {
	t.Helper()
	s.must(t, "kubectl", append([]string{"create", "job", name, "--image=" + image, "--"}, command...)...)
	if out, err := s.run(t, "", "kubectl", "wait", "--for=condition=complete", "job/"+name, "--timeout=120s"); err != nil {
		describe, _ := s.run(t, "", "kubectl", "describe", "pod", "-l", "job-name="+name)
		logs, _ := s.run(t, "", "kubectl", "logs", "job/"+name)
		t.Fatalf("job %s: %v\n%s\n%s\n%s", name, err, out, describe, logs)
	}
	return s.must(t, "kubectl", "logs", "job/"+name)
}

func (s *sandbox) deploy(t *testing.T) {
	t.Helper()
	if out, err := s.run(t, workload, "kubectl", "apply", "-f", "-"); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	s.must(t, "kubectl", "wait", "--for=condition=ready", "pod/database", "pod/volume", "--timeout=120s")
	s.must(t, "kubectl", "rollout", "status", "deployment/web", "--timeout=120s")
}

// state is the part of state.json that the tests use.
type state struct {
	Components []struct {
		Name string
		PID  int
	}
}

func (s *sandbox) state(t *testing.T) state {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out state
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// killComponents kills the recorded processes, and leaves containers running.
func (s *sandbox) killComponents(t *testing.T) {
	t.Helper()
	for _, component := range s.state(t).Components {
		if err := syscall.Kill(component.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEverythingThatReleasesUseWorks(t *testing.T) {
	s := start(t)
	s.up(t)
	if out := s.must(t, "pintle-sandbox", "up"); !strings.Contains(out, "already up") {
		t.Errorf("a second up says %q", out)
	}
	s.must(t, "pintle-sandbox", "status")
	if version := s.must(t, "kubectl", "version"); !strings.Contains(version, "Server Version: v1.35.") {
		t.Errorf("version: %s", version)
	}
	s.deploy(t)
	if out := s.runJob(t, "echo", "busybox:1.36", "echo", "hello"); out != "hello" {
		t.Errorf("the job printed %q", out)
	}
	// An image without a tag is always pulled.
	fetch := "nc -z -w 5 database 5432 && wget -T 5 -qO- http://web.default.svc.cluster.local && nslookup web.default.svc.cluster.local"
	if out := s.runJob(t, "fetch", "busybox", "sh", "-c", fetch); !strings.Contains(out, "Welcome to nginx") {
		t.Errorf("the web server answered %q", out)
	}
	if out := s.must(t, "kubectl", "exec", "database", "--", "psql", "-h", "database", "-U", "postgres", "-d", "shop", "-tAc", "select count(*) from seed"); out != "1" {
		t.Errorf("the database answered %q", out)
	}
	if out := s.must(t, "kubectl", "exec", "volume", "--", "sh", "-c", "echo kept >/data/file && cat /data/file && stat -c %g /data"); out != "kept\n2000" {
		t.Errorf("the volume answered %q", out)
	}
	if out := s.runJob(t, "client", "bitnami/kubectl:1.30", "sh", "-c", "kubectl auth whoami -o name; kubectl get --raw /version"); !strings.Contains(out, "v1.35.") {
		t.Errorf("kubectl in a pod: %s", out)
	}
	if out, err := s.run(t, "", "kubectl", "get", "secrets", "--as=system:serviceaccount:default:default"); err == nil || !strings.Contains(out, "forbidden") {
		t.Errorf("a ServiceAccount without rights: %v %s", err, out)
	}
	s.must(t, "kubectl", "delete", "namespace", "throw-away", "--timeout=60s")
}

func TestLoadedImagesRun(t *testing.T) {
	s := start(t)
	s.up(t)
	s.runJob(t, "fetch", "busybox:1.36", "true")
	// The archive is made from an image that the node has, under another name.
	archive := filepath.Join(t.TempDir(), "image.tar")
	socket := filepath.Join(dir, "run/containerd.sock")
	for _, args := range [][]string{
		{"images", "tag", "docker.io/library/busybox:1.36", "registry.example/team/tool:1"},
		{"images", "export", archive, "registry.example/team/tool:1"},
		{"images", "remove", "registry.example/team/tool:1"},
	} {
		args = append([]string{"--address", socket, "--namespace", "k8s.io"}, args...)
		if out, err := exec.Command("ctr", args...).CombinedOutput(); err != nil {
			t.Fatalf("ctr %v: %v\n%s", args, err, out)
		}
	}
	if out := s.must(t, "pintle-sandbox", "load", archive); out != "registry.example/team/tool:1" {
		t.Errorf("loaded %q", out)
	}
	for _, policy := range []string{"Never", "Always"} {
		name := "loaded-" + strings.ToLower(policy)
		s.must(t, "kubectl", "run", name, "--image=registry.example/team/tool:1", "--image-pull-policy="+policy, "--restart=Never", "--command", "--", "true")
		if out, err := s.run(t, "", "kubectl", "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/"+name, "--timeout=60s"); err != nil {
			describe, _ := s.run(t, "", "kubectl", "describe", "pod", name)
			t.Fatalf("pod %s: %v\n%s\n%s", name, err, out, describe)
		}
	}
}

func TestComponentsStopAndStart(t *testing.T) {
	s := start(t)
	s.up(t)
	s.must(t, "pintle-sandbox", "stop", "kube-apiserver", "--grace=0")
	if out, err := s.run(t, "", "pintle-sandbox", "status"); err == nil || !strings.Contains(out, "kube-apiserver") {
		t.Errorf("status without an API server: %v\n%s", err, out)
	}
	s.must(t, "pintle-sandbox", "start", "kube-apiserver")
	s.runJob(t, "after", "busybox:1.36", "true")
	if out := s.must(t, "pintle-sandbox", "logs", "kubelet", "--tail=3"); out == "" {
		t.Error("kubelet has no log")
	}
	if out, err := s.run(t, "", "pintle-sandbox", "stop", "nobody"); err == nil || !strings.Contains(out, "kube-scheduler") {
		t.Errorf("stopping what there is not: %v %s", err, out)
	}
}

func TestUpAfterComponentsWereKilled(t *testing.T) {
	s := start(t)
	s.up(t)
	s.deploy(t)
	s.killComponents(t)
	s.up(t)
	if out := s.must(t, "kubectl", "get", "pods", "-A", "-o", "name"); out != "" && !strings.Contains(out, "No resources") {
		t.Errorf("the new cluster has pods of the old one: %s", out)
	}
	s.runJob(t, "again", "busybox:1.36", "true")
}

func TestDownAfterComponentsWereKilledAndTheStateIsLost(t *testing.T) {
	s := start(t)
	s.up(t)
	s.deploy(t)
	s.killComponents(t)
	// A crash of the machine can leave an empty file.
	if err := os.Truncate(filepath.Join(dir, "state.json"), 0); err != nil {
		t.Fatal(err)
	}
	s.must(t, "pintle-sandbox", "down")
	expectNoNew(t, dir, s.before)
	// The settings went with the state; the machine gets them back all the same.
	for line := range strings.Lines(s.settings) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A restarted machine has the folder, and nothing that lives in the kernel.
func TestDownOnARestartedMachine(t *testing.T) {
	s := start(t)
	s.up(t)
	s.runJob(t, "before", "busybox:1.36", "true")
	kept := filepath.Join(t.TempDir(), "kept")
	for _, name := range []string{"state.json", "this-folder-belongs-to-pintle-sandbox"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(kept, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(kept, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.must(t, "pintle-sandbox", "down")
	// The recorded ids belong to nobody now, or to somebody else: to this test, say.
	raw, err := os.ReadFile(filepath.Join(kept, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	pid := s.pidIn(t, raw)
	raw = bytes.ReplaceAll(raw, fmt.Appendf(nil, `"pid": %d`, pid), fmt.Appendf(nil, `"pid": %d`, os.Getpid()))
	if err := os.WriteFile(filepath.Join(kept, "state.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(kept)); err != nil {
		t.Fatal(err)
	}
	s.must(t, "pintle-sandbox", "down")
	expectNoNew(t, dir, s.before)
}

func (s *sandbox) pidIn(t *testing.T, raw []byte) int {
	t.Helper()
	var recorded state
	if err := json.Unmarshal(raw, &recorded); err != nil || len(recorded.Components) == 0 {
		t.Fatalf("state.json: %v", err)
	}
	return recorded.Components[0].PID
}

func TestDownAfterUpWasKilled(t *testing.T) {
	s := start(t)
	cmd := exec.Command(filepath.Join(s.bin, "pintle-sandbox"), "up")
	cmd.Env = append(os.Environ(), "PINTLE_SANDBOX_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(limit)
	for {
		raw, err := os.ReadFile(filepath.Join(dir, "state.json"))
		if err == nil && strings.Contains(string(raw), "kube-apiserver") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("up did not get as far as the API server")
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	s.must(t, "pintle-sandbox", "down")
	expectNoNew(t, dir, s.before)
}

func TestOtherFoldersAreNotDeleted(t *testing.T) {
	s := start(t)
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"up", "down"} {
		out, err := s.run(t, "", "pintle-sandbox", command, "--dir", other)
		if err == nil || !strings.Contains(out, "not a sandbox's") {
			t.Errorf("%s on a folder of somebody else's: %v %s", command, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(other, "precious")); err != nil {
		t.Error(err)
	}
}
