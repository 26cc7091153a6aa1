package cluster

import (
	"bufio"
	"bytes"
	"embed"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/pintle-dev/pintle/sandbox/internal/host"
	"github.com/pintle-dev/pintle/sandbox/internal/image"
	"github.com/pintle-dev/pintle/sandbox/internal/pki"
	"github.com/pintle-dev/pintle/sandbox/internal/provision"
)

//go:embed files
var files embed.FS

// configFiles are the components' configuration files: template to path below
// the folder config.
var configFiles = map[string]string{
	"containerd.toml":            "containerd.toml",
	"10-pintle-sandbox.conflist": "cni/10-pintle-sandbox.conflist",
	"kubelet.yaml":               "kubelet.yaml",
	"proxy.yaml":                 "proxy.yaml",
	"scheduler.yaml":             "scheduler.yaml",
	"Corefile":                   "Corefile",
}

// writeConfig writes the components' configuration files.
func (p plan) writeConfig() error {
	for name, target := range configFiles {
		content, err := p.render(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(p.layout.config(target), content, 0o644); err != nil {
			return fmt.Errorf("writing the configuration: %w", err)
		}
	}
	// Pods that ask for the node's DNS get ours, too: the machine's may be on a
	// loopback address that means themselves to them.
	resolv := fmt.Sprintf("nameserver %s\n", p.network.Node())
	if err := os.WriteFile(p.layout.config("resolv.conf"), []byte(resolv), 0o644); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	for _, name := range []string{"docker.io", "registry.k8s.io"} {
		if err := writeMirror(p.layout, name); err != nil {
			return err
		}
	}
	return nil
}

// writeMirror makes containerd ask the sandbox's registry first for images of the
// registry called name, and that one itself for those that the sandbox has not.
func writeMirror(l Layout, name string) error {
	path := l.config(filepath.Join("registries", name, "hosts.toml"))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	content := fmt.Sprintf("[host.\"http://%s/v2/%s\"]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n", registryAddress(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// render fills in one of the embedded files.
func (p plan) render(name string) ([]byte, error) {
	text, err := files.ReadFile("files/" + name)
	if err != nil {
		return nil, fmt.Errorf("reading the template of %s: %w", name, err)
	}
	parsed, err := template.New(name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("reading the template of %s: %w", name, err)
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, map[string]any{
		"Layout": p.layout, "Network": p.network, "Loopback": loopback, "Domain": Domain, "Cgroup": host.CgroupName,
		"PluginDir": host.PluginDir, "Pause": image.Pause, "Snapshotter": p.snapshotter, "Provisioner": provision.Name,
		"KubeletPort": kubeletPort, "KubeletHealthPort": kubeletHealthPort, "ProxyHealthPort": proxyHealthPort,
		"ProxyMetricsPort": proxyMetricsPort, "DNSReadyPort": dnsReadyPort, "Rate": clientRate, "Burst": clientBurst,
		"Nameservers": strings.Join(nameservers("/etc/resolv.conf"), " "),
	})
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// nameservers returns the machine's own name servers, at most three.
func nameservers(path string) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil // a machine without: names of the cluster still resolve
	}
	defer file.Close()
	var servers []string
	lines := bufio.NewScanner(file)
	for lines.Scan() && len(servers) < 3 {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if address, err := netip.ParseAddr(fields[1]); err == nil && address.Zone() == "" {
			servers = append(servers, address.String())
		}
	}
	return servers
}

// identity is a client certificate and the kubeconfig that uses it.
type identity struct {
	user       string
	groups     []string
	kubeconfig string
}

// writeCertificates makes the authorities, the servers' certificates and the
// kubeconfigs of everyone who talks to the API server.
func (p plan) writeCertificates(now time.Time) error {
	l := p.layout
	authorities := map[string]*pki.Authority{}
	for _, name := range []string{"ca", "etcd-ca", "front-proxy-ca"} {
		authority, err := pki.NewAuthority("pintle-sandbox-"+name, now)
		if err != nil {
			return err
		}
		if err := authority.Write(l.pki(name)); err != nil {
			return err
		}
		authorities[name] = authority
	}
	issued := []struct {
		authority, file string
		subject         pki.Subject
	}{
		{"etcd-ca", "etcd", pki.Subject{User: "etcd", Hosts: []string{loopback, "localhost"}}},
		{"etcd-ca", "etcd-client", pki.Subject{User: apiserver}},
		{"front-proxy-ca", "front-proxy-client", pki.Subject{User: "front-proxy-client"}},
		{"ca", "apiserver", pki.Subject{User: apiserver, Hosts: p.serverNames()}},
		{"ca", "apiserver-kubelet", pki.Subject{User: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}}},
		{"ca", "kubelet", pki.Subject{User: NodeName, Hosts: []string{NodeName, p.network.Node().String()}}},
	}
	for _, entry := range issued {
		pair, err := authorities[entry.authority].Issue(entry.subject)
		if err != nil {
			return err
		}
		if err := pair.Write(l.pki(entry.file)); err != nil {
			return err
		}
	}
	key, err := pki.NewSigningKey()
	if err != nil {
		return err
	}
	if err := key.Write(l.pki("service-accounts")); err != nil {
		return err
	}
	return p.writeKubeconfigs(authorities["ca"])
}

func (p plan) serverNames() []string {
	return []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + Domain, "localhost", NodeName,
		p.network.Node().String(), p.network.FirstService().String(), "127.0.0.1",
	}
}

func (p plan) writeKubeconfigs(ca *pki.Authority) error {
	identities := []identity{
		{user: "kubernetes-admin", groups: []string{"system:masters"}, kubeconfig: p.layout.Kubeconfig()},
		// The garbage collector and the namespace controller must be able to delete
		// everything, and the others are one process with them.
		{user: "system:" + controllerManager, groups: []string{"system:masters"}, kubeconfig: p.layout.config("controller-manager.kubeconfig")},
		{user: "system:" + scheduler, kubeconfig: p.layout.config("scheduler.kubeconfig")},
		{user: "system:node:" + NodeName, groups: []string{"system:nodes"}, kubeconfig: p.layout.config("kubelet.kubeconfig")},
		{user: "system:" + proxy, kubeconfig: p.layout.config("proxy.kubeconfig")},
		{user: "pintle:sandbox-dns", kubeconfig: p.layout.config("dns.kubeconfig")},
		{user: "pintle:sandbox-provisioner", kubeconfig: p.layout.config("provisioner.kubeconfig")},
	}
	for _, who := range identities {
		pair, err := ca.Issue(pki.Subject{User: who.user, Groups: who.groups})
		if err != nil {
			return err
		}
		config := clientcmdapi.NewConfig()
		config.Clusters[Context] = &clientcmdapi.Cluster{Server: p.server(), CertificateAuthorityData: ca.Cert}
		config.AuthInfos[who.user] = &clientcmdapi.AuthInfo{ClientCertificateData: pair.Cert, ClientKeyData: pair.Key}
		config.Contexts[Context] = &clientcmdapi.Context{Cluster: Context, AuthInfo: who.user, Namespace: "default"}
		config.CurrentContext = Context
		if err := clientcmd.WriteToFile(*config, who.kubeconfig); err != nil {
			return fmt.Errorf("writing a kubeconfig: %w", err)
		}
	}
	return nil
}
