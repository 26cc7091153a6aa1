package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// runLabel marks the namespaces of one run of the stories, so that those of an
// interrupted run can be found.
const runLabel = "pintle.dev/e2e"

// patience is how long a story waits for what must come.
const patience = 90 * time.Second

var (
	namespaces      = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	// clusterWide are the kinds that stories make outside their namespace.
	clusterWide = []schema.GroupVersionResource{
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
		{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
		{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"},
		{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"},
		{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"},
		{Version: "v1", Resource: "nodes"},
		namespaces,
	}
)

// cluster is the one that all stories share.
type cluster struct {
	config    *clientcmdapi.Config
	objects   dynamic.Interface
	discovery *discovery.DiscoveryClient
}

func connect(t *testing.T) *cluster {
	t.Helper()
	path := os.Getenv("PINTLE_E2E_KUBECONFIG")
	if path == "" {
		missing(t, "the stories need a cluster: run make test, or set PINTLE_E2E_KUBECONFIG to the kubeconfig of one that may be changed at will")
	}
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatalf("reading the kubeconfig: %v", err)
	}
	rest, err := clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
	if err != nil {
		t.Fatalf("reading the kubeconfig %s: %v", path, err)
	}
	rest.QPS, rest.Burst = -1, -1
	c := &cluster{config: config}
	if c.objects, err = dynamic.NewForConfig(rest); err != nil {
		t.Fatal(err)
	}
	if c.discovery, err = discovery.NewDiscoveryClientForConfig(rest); err != nil {
		t.Fatal(err)
	}
	if _, err := c.discovery.ServerVersion(); err != nil {
		t.Fatalf("the cluster of %s does not answer: %v", path, err)
	}
	return c
}

// story is the state of one running script.
type story struct {
	*cluster
	ctx        context.Context
	namespace  string
	watcher    *watcher
	remembered map[string]string
}

type storyKey struct{}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

// setUp gives a story a namespace and an environment of its own.
func setUp(ctx context.Context, env *testscript.Env, c *cluster, programs string) error {
	name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	s := &story{cluster: c, ctx: ctx, namespace: fmt.Sprintf("e2e-%s-%s", strings.ReplaceAll(name, "_", "-"), rand.String(5))}
	if err := s.createNamespace(); err != nil {
		return err
	}
	env.Defer(func() { s.tearDown(env, programs) })
	kubeconfig := filepath.Join(env.WorkDir, "kubeconfig")
	if err := clientcmd.WriteToFile(*s.preset(), kubeconfig); err != nil {
		return err
	}
	examples, err := filepath.Abs("../examples")
	if err != nil {
		return err
	}
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	path := programs + string(os.PathListSeparator) + os.Getenv("PATH")
	if own := os.Getenv("PINTLE_E2E_BINARY"); own != "" {
		path = filepath.Dir(own) + string(os.PathListSeparator) + path
	}
	for key, value := range map[string]string{
		"HOME":           home,
		"PATH":           path,
		"KUBECONFIG":     kubeconfig,
		"HELM_NAMESPACE": s.namespace,
		"NAMESPACE":      s.namespace,
		"EXAMPLES":       examples,
	} {
		env.Setenv(key, value)
	}
	env.Values[storyKey{}] = s
	s.remembered, err = s.state()
	return err
}

// preset is the kubeconfig with the story's namespace as the default one.
func (s *story) preset() *clientcmdapi.Config {
	config := s.config.DeepCopy()
	config.Contexts[config.CurrentContext].Namespace = s.namespace
	return config
}

// createNamespace makes the story's namespace, with the service account that
// pods need.
func (s *story) createNamespace() error {
	ns := &unstructured.Unstructured{}
	ns.SetAPIVersion("v1")
	ns.SetKind("Namespace")
	ns.SetName(s.namespace)
	if run := os.Getenv("PINTLE_E2E_RUN"); run != "" {
		ns.SetLabels(map[string]string{runLabel: run})
	}
	if _, err := s.objects.Resource(namespaces).Create(s.ctx, ns, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating the story's namespace: %w", err)
	}
	return s.wait("the namespace's service account", func() (bool, error) {
		_, err := s.objects.Resource(serviceAccounts).Namespace(s.namespace).Get(s.ctx, "default", metav1.GetOptions{})
		return err == nil, err
	})
}

// wait asks until it is told yes, for as long as a story's patience goes.
func (s *story) wait(what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w (last: %v)", what, context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

// tearDown removes the namespace, and what bears its name outside of it. What
// a failed story left in the cluster is shown first.
func (s *story) tearDown(env *testscript.Env, programs string) {
	if t, ok := env.T().(interface{ Failed() bool }); ok && t.Failed() {
		show := exec.Command(filepath.Join(programs, "kubectl"), "get", "pods,jobs,deployments,services,secrets,configmaps,events", "--sort-by=.metadata.creationTimestamp")
		show.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(env.WorkDir, "kubeconfig"))
		if out, err := show.CombinedOutput(); err == nil {
			env.T().Log(fmt.Sprintf("namespace %s:\n%s", s.namespace, out))
		}
	}
	if s.watcher != nil {
		s.watcher.stop()
	}
	// The test's own context ends before its clean-up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), patience)
	defer cancel()
	background := metav1.DeletePropagationBackground
	for _, resource := range clusterWide {
		list, err := s.objects.Resource(resource).List(ctx, metav1.ListOptions{})
		if err != nil {
			env.T().Log(fmt.Sprintf("cleaning up: %v", err))
			continue
		}
		for _, object := range list.Items {
			if !strings.Contains(object.GetName(), s.namespace) {
				continue
			}
			if err := s.objects.Resource(resource).Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
				env.T().Log(fmt.Sprintf("cleaning up: %v", err))
			}
		}
	}
}
