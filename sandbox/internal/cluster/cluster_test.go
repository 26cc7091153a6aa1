package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/pintle-dev/pintle/sandbox/internal/host"
	"github.com/pintle-dev/pintle/sandbox/internal/process"
)

func testPlan(t *testing.T) plan {
	t.Helper()
	network, err := host.ParseNetwork(DefaultNetwork)
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir(): its path may be longer than sockets allow.
	dir, err := os.MkdirTemp("", "sandbox")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	layout, err := NewLayout(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(layout.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := layout.make(); err != nil {
		t.Fatal(err)
	}
	return plan{layout: layout, network: network, snapshotter: "overlayfs", images: "/images"}
}

// Every file that a component is told to read must be written before.
func TestArgumentsNameFilesThatAreWritten(t *testing.T) {
	p := testPlan(t)
	if err := p.writeCertificates(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := p.writeConfig(); err != nil {
		t.Fatal(err)
	}
	for _, spec := range append(p.first(), p.second()...) {
		for _, arg := range spec.Args {
			_, value, ok := strings.Cut(arg, "=")
			if !ok {
				value = arg
			}
			for _, folder := range []string{p.layout.pki(""), p.layout.config("")} {
				if !strings.HasPrefix(value, folder+"/") {
					continue
				}
				if _, err := os.Stat(value); err != nil {
					t.Errorf("%s %s: %v", spec.Name, arg, err)
				}
			}
		}
	}
}

func TestConfigurationIsWellFormed(t *testing.T) {
	p := testPlan(t)
	for _, name := range []string{"kubelet.yaml", "proxy.yaml", "scheduler.yaml"} {
		content, err := p.render(name)
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		if err := yaml.Unmarshal(content, &out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if out["kind"] == nil {
			t.Errorf("%s has no kind", name)
		}
	}
}

func TestKubeconfigIsTheAdministrators(t *testing.T) {
	p := testPlan(t)
	if err := p.writeCertificates(time.Now()); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", p.layout.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != p.server() || config.Insecure {
		t.Errorf("the kubeconfig leads to %s, insecure %v", config.Host, config.Insecure)
	}
	info, err := os.Stat(p.layout.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the kubeconfig: %v", info.Mode())
	}
}

func TestStateSurvivesARoundTrip(t *testing.T) {
	p := testPlan(t)
	saved := state{
		Version: stateVersion, Network: DefaultNetwork, Settings: map[string]string{"a": "1"},
		Components: []component{{Spec: process.Spec{Name: "x", Path: "/x", Args: []string{"y"}, Log: "z"}, ID: process.ID{PID: 7, Started: 9}}},
	}
	if err := saved.save(p.layout); err != nil {
		t.Fatal(err)
	}
	loaded, found, err := loadState(p.layout)
	if err != nil || !found {
		t.Fatalf("not found: %v", err)
	}
	got, ok := loaded.find("x")
	if !ok || got.PID != 7 || got.Started != 9 || got.Args[0] != "y" || loaded.Settings["a"] != "1" {
		t.Errorf("loaded %+v", loaded)
	}
	for _, broken := range []string{"", "{", `{"version": 99}`} {
		if err := os.WriteFile(p.layout.state(), []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, found, err := loadState(p.layout); found || err != nil {
			t.Errorf("state %q: found %v, %v", broken, found, err)
		}
	}
}

func TestNewLayoutRefusesFoldersOfTheSystem(t *testing.T) {
	for _, dir := range []string{"/", "/var", "/root", "/" + strings.Repeat("long/", 20)} {
		if _, err := NewLayout(dir); err == nil {
			t.Errorf("%s is taken", dir)
		}
	}
}

func TestNodeProblem(t *testing.T) {
	ready := corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}
	tests := map[string]struct {
		node corev1.Node
		want string
	}{
		"ready":     {node: corev1.Node{Status: ready}},
		"new":       {want: "not reported"},
		"not ready": {node: corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Message: "no network"}}}}, want: "no network"},
		"tainted": {node: corev1.Node{Status: ready, Spec: corev1.NodeSpec{Taints: []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}}}},
			want: corev1.TaintNodeNotReady},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := nodeProblem(&tt.node)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("problem is %v, want %q", err, tt.want)
			}
		})
	}
}

func TestProxiesAreForPullingOnly(t *testing.T) {
	environ := []string{"HOME=/root", "https_proxy=http://proxy:3128", "no_proxy=intern", "SECRET=x"}
	got := strings.Join(pullEnvironment(environ), " ")
	if want := "https_proxy=http://proxy:3128 NO_PROXY=" + loopback + ",intern"; got != want {
		t.Errorf("containerd gets %q, want %q", got, want)
	}
	for _, spec := range append(testPlan(t).first(), testPlan(t).second()...) {
		if spec.Name != containerd && spec.Env != nil {
			t.Errorf("%s gets %v", spec.Name, spec.Env)
		}
	}
}

func TestNameservers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	content := "# local\nsearch example\nnameserver 127.0.0.53\nnameserver fe80::1%eth0\nnameserver ::1\nnameserver nonsense\n"
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(nameservers(file), " "); got != "127.0.0.53 ::1" {
		t.Errorf("name servers are %q", got)
	}
	if got := nameservers(filepath.Join(t.TempDir(), "none")); got != nil {
		t.Errorf("a machine without the file has %v", got)
	}
}
