// Package cluster brings a Kubernetes of one node up and down on this machine.
//
// Everything that it keeps lies in one folder, described by Layout. What it does
// to the machine outside that folder is done, and undone, by packages host and
// process. Taking a cluster down never asks it to: everything is killed and swept
// up from what the kernel says is there, so the same code serves a healthy
// cluster, one that crashed half-way and a machine that was restarted.
package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pintle-dev/pintle/sandbox/internal/host"
)

const (
	// DefaultDir is where a sandbox keeps its state unless told otherwise.
	DefaultDir = "/var/lib/pintle-sandbox"
	// DefaultNetwork is the /16 that pods and Services have their addresses from.
	DefaultNetwork = "10.211.0.0/16"
	// NodeName is the name of the only node.
	NodeName = "pintle-sandbox"
	// Context is the name of the context in the kubeconfig.
	Context = "pintle-sandbox"
	// Domain is the cluster's DNS domain.
	Domain = "cluster.local"
	// loopback is where components listen that only this machine's own components
	// talk to: an address that nothing else uses, so that usual ports are free.
	loopback = "127.97.0.1"
)

// longestDir keeps the paths of sockets below what the kernel accepts.
const longestDir = 60

// Layout is the sandbox's folder.
type Layout struct {
	// Dir is absolute and clean.
	Dir string
}

// NewLayout checks dir and makes it absolute.
func NewLayout(dir string) (Layout, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Layout{}, fmt.Errorf("finding the state folder: %w", err)
	}
	if len(abs) > longestDir {
		return Layout{}, fmt.Errorf("the state folder %s has a path of more than %d bytes: sockets in it could not be opened", abs, longestDir)
	}
	if filepath.Dir(abs) == "/" {
		return Layout{}, fmt.Errorf("the state folder %s is a folder of the system; `down` deletes it, so give the sandbox one of its own", abs)
	}
	return Layout{Dir: abs}, nil
}

// Kubeconfig is the path of the administrator's kubeconfig.
func (l Layout) Kubeconfig() string { return l.in("kubeconfig") }

// Log is the path of a component's log.
func (l Layout) Log(component string) string { return l.in("logs", component+".log") }

// Images is the folder of images that were loaded into this sandbox.
func (l Layout) Images() string { return l.in("images") }

// Volumes is the folder of provisioned volumes.
func (l Layout) Volumes() string { return l.in("volumes") }

func (l Layout) state() string             { return l.in("state.json") }
func (l Layout) pki(name string) string    { return l.in("pki", name) }
func (l Layout) config(name string) string { return l.in("config", name) }
func (l Layout) run(name string) string    { return l.in("run", name) }
func (l Layout) data(name string) string   { return l.in("data", name) }

func (l Layout) in(parts ...string) string {
	return filepath.Join(append([]string{l.Dir}, parts...)...)
}

// make makes the folders that components expect.
func (l Layout) make() error {
	for _, dir := range []string{"pki", "config/cni", "config/registries", "run", "data", "logs", "pods", "images", "volumes"} {
		if err := os.MkdirAll(l.in(dir), 0o755); err != nil {
			return fmt.Errorf("making the state folder: %w", err)
		}
	}
	// Keys, tokens and the administrator's kubeconfig are in there.
	return os.Chmod(l.Dir, 0o711)
}

// Programs are the paths of the binaries that a sandbox runs.
type Programs struct {
	// Self is pintle-sandbox, which also serves images and provisions volumes.
	Self string
	// Components is pintle-sandbox-components.
	Components string
	// DNS is pintle-sandbox-dns.
	DNS string
	// Kubectl is kubectl.
	Kubectl string
	// Images is the folder of programs that go into images.
	Images string
}

// FindPrograms looks for the binaries beside this one. What is missing comes back
// as lacks.
func FindPrograms() (Programs, []host.Lack, error) {
	self, err := os.Executable()
	if err != nil {
		return Programs{}, nil, fmt.Errorf("finding this program: %w", err)
	}
	dir := filepath.Dir(self)
	programs := Programs{
		Self:       self,
		Components: filepath.Join(dir, "pintle-sandbox-components"),
		DNS:        filepath.Join(dir, "pintle-sandbox-dns"),
		Kubectl:    filepath.Join(dir, "kubectl"),
		Images:     filepath.Join(dir, "images"),
	}
	var lacks []host.Lack
	for _, path := range []string{programs.Components, programs.DNS, programs.Kubectl, programs.imageTools()} {
		if _, err := os.Stat(path); err != nil {
			lacks = append(lacks, host.Lack{What: path + " was not built", Remedy: "run sandbox/build.sh"})
		}
	}
	return programs, lacks, nil
}

func (p Programs) imageTools() string { return filepath.Join(p.Images, "image-tools") }
