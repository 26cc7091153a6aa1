package cluster

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/sandbox/internal/host"
	"github.com/pintle-dev/pintle/sandbox/internal/process"
)

// Names of the components, as in logs, stop and start.
const (
	etcd              = "etcd"
	apiserver         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kubelet           = "kubelet"
	proxy             = "kube-proxy"
	dns               = "dns"
	containerd        = "containerd"
	registry          = "registry"
	provisioner       = "provisioner"
)

// Ports. Those of components on the loopback address are the usual ones.
const (
	apiserverPort         = 6443
	kubeletPort           = 10250
	kubeletHealthPort     = 10248
	etcdPort              = 2379
	etcdPeerPort          = 2380
	registryPort          = 5000
	controllerManagerPort = 10257
	schedulerPort         = 10259
	proxyHealthPort       = 10256
	proxyMetricsPort      = 10249
	dnsReadyPort          = 8181
	provisionerPort       = 10260
)

// clientRate and clientBurst are how many requests a second a component of the
// node or the control plane may send. The defaults are made for many nodes that
// share an API server, and would be what a benchmark measures.
const (
	clientRate  = 1000
	clientBurst = 2000
)

// plan is what the components' commands are made from.
type plan struct {
	layout   Layout
	network  host.Network
	programs Programs
	// images is the store of images that the sandbox makes.
	images string
	// apiserverArgs are added to the API server's arguments.
	apiserverArgs []string
	// snapshotter keeps containers' file systems: overlayfs, or native where that
	// does not work.
	snapshotter string
}

func (p plan) server() string { return fmt.Sprintf("https://%s:%d", p.network.Node(), apiserverPort) }

// first are the components that need no API server.
func (p plan) first() []process.Spec {
	return []process.Spec{p.etcd(), p.containerd(), p.registry(), p.apiserver()}
}

// second are the components that are started once the API server is ready.
func (p plan) second() []process.Spec {
	return []process.Spec{p.controllerManager(), p.scheduler(), p.kubelet(), p.dns(), p.provisioner(), p.proxy()}
}

// kubernetes is the command of a component in the multi-call binary.
func (p plan) kubernetes(name string, args ...string) process.Spec {
	return process.Spec{Name: name, Path: p.programs.Components, Args: append([]string{name}, args...), Log: p.layout.Log(name)}
}

func (p plan) etcd() process.Spec {
	client := fmt.Sprintf("https://%s:%d", loopback, etcdPort)
	peer := fmt.Sprintf("https://%s:%d", loopback, etcdPeerPort)
	return p.kubernetes(etcd,
		"--name=sandbox",
		"--data-dir="+p.layout.data("etcd"),
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer,
		"--initial-cluster=sandbox="+peer,
		"--client-cert-auth", "--trusted-ca-file="+p.layout.pki("etcd-ca.crt"),
		"--cert-file="+p.layout.pki("etcd.crt"), "--key-file="+p.layout.pki("etcd.key"),
		"--peer-client-cert-auth", "--peer-trusted-ca-file="+p.layout.pki("etcd-ca.crt"),
		"--peer-cert-file="+p.layout.pki("etcd.crt"), "--peer-key-file="+p.layout.pki("etcd.key"),
		// The cluster is thrown away, and with it what a power cut would lose.
		"--unsafe-no-fsync",
		// Alone, it has nobody to wait for in an election.
		"--heartbeat-interval=50", "--election-timeout=500",
		"--log-level=warn",
	)
}

func (p plan) apiserver() process.Spec {
	l := p.layout
	args := []string{
		"--bind-address=" + p.network.Node().String(), "--advertise-address=" + p.network.Node().String(),
		fmt.Sprintf("--secure-port=%d", apiserverPort),
		"--tls-cert-file=" + l.pki("apiserver.crt"), "--tls-private-key-file=" + l.pki("apiserver.key"),
		"--client-ca-file=" + l.pki("ca.crt"),
		fmt.Sprintf("--etcd-servers=https://%s:%d", loopback, etcdPort),
		"--etcd-cafile=" + l.pki("etcd-ca.crt"), "--etcd-certfile=" + l.pki("etcd-client.crt"), "--etcd-keyfile=" + l.pki("etcd-client.key"),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-cluster-ip-range=" + p.network.Services().String(),
		"--service-account-issuer=https://kubernetes.default.svc." + Domain,
		"--service-account-key-file=" + l.pki("service-accounts.crt"), "--service-account-signing-key-file=" + l.pki("service-accounts.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority=" + l.pki("ca.crt"),
		"--kubelet-client-certificate=" + l.pki("apiserver-kubelet.crt"), "--kubelet-client-key=" + l.pki("apiserver-kubelet.key"),
		// What aggregated APIs need to trust who the API server says is asking.
		"--requestheader-client-ca-file=" + l.pki("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + l.pki("front-proxy-client.crt"), "--proxy-client-key-file=" + l.pki("front-proxy-client.key"),
		"--enable-aggregator-routing=true",
		"--shutdown-delay-duration=0s",
	}
	return p.kubernetes(apiserver, append(args, p.apiserverArgs...)...)
}

func (p plan) controllerManager() process.Spec {
	l := p.layout
	return p.kubernetes(controllerManager,
		"--kubeconfig="+l.config("controller-manager.kubeconfig"),
		"--authentication-kubeconfig="+l.config("controller-manager.kubeconfig"), "--authorization-kubeconfig="+l.config("controller-manager.kubeconfig"),
		"--bind-address="+loopback, fmt.Sprintf("--secure-port=%d", controllerManagerPort),
		"--cert-dir="+l.data("controller-manager"),
		"--leader-elect=false",
		"--service-account-private-key-file="+l.pki("service-accounts.key"),
		"--root-ca-file="+l.pki("ca.crt"),
		"--cluster-signing-cert-file="+l.pki("ca.crt"), "--cluster-signing-key-file="+l.pki("ca.key"),
		"--requestheader-client-ca-file="+l.pki("front-proxy-ca.crt"),
		"--flex-volume-plugin-dir="+l.data("volume-plugins"),
		fmt.Sprintf("--kube-api-qps=%d", clientRate), fmt.Sprintf("--kube-api-burst=%d", clientBurst),
	)
}

func (p plan) scheduler() process.Spec {
	l := p.layout
	return p.kubernetes(scheduler,
		"--config="+l.config("scheduler.yaml"),
		"--authentication-kubeconfig="+l.config("scheduler.kubeconfig"), "--authorization-kubeconfig="+l.config("scheduler.kubeconfig"),
		"--bind-address="+loopback, fmt.Sprintf("--secure-port=%d", schedulerPort),
		"--cert-dir="+l.data("scheduler"),
	)
}

func (p plan) kubelet() process.Spec {
	l := p.layout
	return p.kubernetes(kubelet,
		"--config="+l.config("kubelet.yaml"),
		"--kubeconfig="+l.config("kubelet.kubeconfig"),
		"--root-dir="+l.data("kubelet"), "--cert-dir="+l.data("kubelet-pki"),
		"--hostname-override="+NodeName, "--node-ip="+p.network.Node().String(),
	)
}

func (p plan) proxy() process.Spec {
	return p.kubernetes(proxy, "--config="+p.layout.config("proxy.yaml"), "--hostname-override="+NodeName)
}

func (p plan) dns() process.Spec {
	return process.Spec{Name: dns, Path: p.programs.DNS, Args: []string{"-conf", p.layout.config("Corefile")}, Log: p.layout.Log(dns)}
}

func (p plan) containerd() process.Spec {
	return process.Spec{
		Name: containerd, Path: "containerd", Args: []string{"--config", p.layout.config("containerd.toml")}, Log: p.layout.Log(containerd),
		Env: pullEnvironment(os.Environ()),
	}
}

// pullEnvironment picks what containerd needs of the caller's environment to pull
// images from elsewhere: proxies and authorities. Our own registry is never
// reached through a proxy.
func pullEnvironment(environ []string) []string {
	var picked []string
	around := loopback
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case strings.EqualFold(name, "NO_PROXY"):
			around += "," + value
		case slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}, strings.ToUpper(name)):
			picked = append(picked, entry)
		}
	}
	return append(picked, "NO_PROXY="+around)
}

func (p plan) registry() process.Spec {
	return process.Spec{
		Name: registry, Path: p.programs.Self, Log: p.layout.Log(registry),
		Args: []string{"serve-images", "--address", registryAddress(), p.layout.Images(), p.images},
	}
}

func (p plan) provisioner() process.Spec {
	return process.Spec{
		Name: provisioner, Path: p.programs.Self, Log: p.layout.Log(provisioner),
		Args: []string{
			"provision", "--kubeconfig", p.layout.config("provisioner.kubeconfig"), "--node", NodeName,
			"--health", fmt.Sprintf("%s:%d", loopback, provisionerPort), p.layout.Volumes(),
		},
	}
}

func registryAddress() string { return fmt.Sprintf("%s:%d", loopback, registryPort) }
