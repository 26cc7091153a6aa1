package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// pollInterval is how often a component is asked whether it is ready.
	pollInterval = 25 * time.Millisecond
	// askTimeout limits one such question.
	askTimeout = 2 * time.Second
)

// final is an error after which it is no use to ask again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// poll calls ready until it returns nil or a final error, and returns its last
// error when ctx ends.
func poll(ctx context.Context, ready func(context.Context) error) error {
	for {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		err := ready(asking)
		cancel()
		if err == nil {
			return nil
		}
		if stop := (final{}); errors.As(err, &stop) {
			return stop.error
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// localClient asks the components' health addresses. Those that serve TLS there
// do so with certificates that they made themselves, and nothing is sent to them.
var localClient = &http.Client{Transport: &http.Transport{
	TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	// A connection that outlives its server would make the next question fail.
	DisableKeepAlives: true,
}}

func httpHealthy(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := localClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	}
}

func listens(network, address string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// healthCheck returns how to ask a component whether it works. The API server's
// own answer, without rights, is enough to know that it is ready.
func healthCheck(l Layout, server, name string) func(context.Context) error {
	at := func(scheme string, port int, path string) func(context.Context) error {
		return httpHealthy(fmt.Sprintf("%s://%s:%d/%s", scheme, loopback, port, path))
	}
	switch name {
	case etcd:
		return listens("tcp", fmt.Sprintf("%s:%d", loopback, etcdPort))
	case containerd:
		return listens("unix", l.run("containerd.sock"))
	case registry:
		return at("http", registryPort, "v2/")
	case apiserver:
		return httpHealthy(server + "/readyz")
	case controllerManager:
		return at("https", controllerManagerPort, "healthz")
	case scheduler:
		return at("https", schedulerPort, "readyz")
	case kubelet:
		return at("http", kubeletHealthPort, "healthz")
	case proxy:
		return at("http", proxyHealthPort, "healthz")
	case dns:
		return at("http", dnsReadyPort, "ready")
	case provisioner:
		return at("http", provisionerPort, "healthz")
	}
	return func(context.Context) error { return fmt.Errorf("no component is called %q", name) }
}

// newClient returns a client with the administrator's rights.
func newClient(l Layout) (*rest.Config, *kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", l.Kubeconfig(), err)
	}
	config.QPS, config.Burst = clientRate, clientBurst
	// The API server is on this machine, whatever proxies the environment names.
	config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, nil, fmt.Errorf("making a client: %w", err)
	}
	return config, client, nil
}

// nodeReady says whether pods can be scheduled to the node.
func nodeReady(client kubernetes.Interface) func(context.Context) error {
	return func(ctx context.Context) error {
		node, err := client.CoreV1().Nodes().Get(ctx, NodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return nodeProblem(node)
	}
}

// nodeProblem says what keeps pods from a node, or nil.
func nodeProblem(node *corev1.Node) error {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
			return fmt.Errorf("the node is not ready: %s", condition.Message)
		}
	}
	if len(node.Status.Conditions) == 0 {
		return errors.New("the node has not reported yet")
	}
	for _, taint := range node.Spec.Taints {
		if taint.Effect != corev1.TaintEffectPreferNoSchedule {
			return fmt.Errorf("the node has the taint %s", taint.ToString())
		}
	}
	return nil
}

// accountsReady says whether pods can be created in the namespace default: each
// needs its namespace's ServiceAccount and the authority's certificate.
func accountsReady(client kubernetes.Interface) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := client.CoreV1().ConfigMaps(metav1.NamespaceDefault).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err
	}
}

// dnsAnswers asks the DNS server for the Service that every cluster has.
func dnsAnswers(node string) func(context.Context) error {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(node, "53"))
	}}
	return func(ctx context.Context) error {
		_, err := resolver.LookupHost(ctx, "kubernetes.default.svc."+Domain+".")
		return err
	}
}
