package kube

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: dev
clusters:
- {name: one, cluster: {server: "https://one.test:6443"}}
- {name: two, cluster: {server: "http://two.test/prefix"}}
contexts:
- {name: dev, context: {cluster: one, user: me, namespace: team}}
- {name: prod, context: {cluster: two, user: me}}
users:
- {name: me, user: {token: secret}}
`

func TestConnectReadsKubeconfigAsHelmDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
	tests := map[string]struct {
		opts                    Options
		target, namespace, base string
	}{
		"the current context": {Options{}, `https://one.test:6443 (context "dev")`, "team", "https://one.test:6443/"},
		"another context":     {Options{Context: "prod"}, `http://two.test/prefix (context "prod")`, "default", "http://two.test/prefix"},
		"a namespace":         {Options{Namespace: "mine"}, `https://one.test:6443 (context "dev")`, "mine", "https://one.test:6443/"},
		"another server":      {Options{APIServer: "https://three.test"}, `https://three.test (context "dev")`, "team", "https://three.test/"},
		"an explicit file":    {Options{Kubeconfig: path}, `https://one.test:6443 (context "dev")`, "team", "https://one.test:6443/"},
		"a list of files":     {Options{Kubeconfig: "/does/not/exist:" + path}, `https://one.test:6443 (context "dev")`, "team", "https://one.test:6443/"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Connect(tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			if c.Target().String() != tt.target || c.Namespace() != tt.namespace {
				t.Errorf("%s in %s", c.Target(), c.Namespace())
			}
			if got := strings.TrimSuffix(c.base.String(), "/"); got != strings.TrimSuffix(tt.base, "/") {
				t.Errorf("base %s", got)
			}
		})
	}
}

func TestConnectSaysWhatIsMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	tests := map[string]struct {
		opts Options
		want string
	}{
		"no configuration":   {Options{}, "no kubeconfig was found"},
		"no such file":       {Options{Kubeconfig: "/does/not/exist"}, "/does/not/exist"},
		"no such context":    {Options{Kubeconfig: path, Context: "nope"}, "nope"},
		"no such CA file":    {Options{Kubeconfig: path, CAFile: "/does/not/exist"}, "/does/not/exist"},
		"a CA and no checks": {Options{Kubeconfig: path, CAFile: path, InsecureSkipTLSVerify: true}, "insecure"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Connect(tt.opts)
			var unreachable *UnreachableError
			if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}
