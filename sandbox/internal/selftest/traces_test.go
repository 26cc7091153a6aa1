package selftest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// traces lists what of a sandbox is on this machine: everything that `down` must
// have removed. It finds things out by other means than the sandbox does.
func traces(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	found = append(found, processTraces(t, dir)...)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir) || strings.Contains(line, "nsfs") {
			found = append(found, "mount: "+strings.TrimSpace(line))
		}
	}
	links, err := filepath.Glob("/sys/class/net/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		name := filepath.Base(link)
		if strings.HasPrefix(name, "pintle") || strings.HasPrefix(name, "veth") {
			found = append(found, "link: "+name)
		}
	}
	tables, err := exec.Command("nft", "list", "tables").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(tables)) {
		if strings.Contains(line, "pintle") || strings.Contains(line, "kube-proxy") {
			found = append(found, "nftables: "+strings.TrimSpace(line))
		}
	}
	return append(found, fileTraces(t, dir)...)
}

// processTraces looks for the folder in every process's command line, and for
// processes in the sandbox's cgroups.
func processTraces(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		if filepath.Dir(path) == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		cgroup, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cgroup"))
		if strings.Contains(string(raw), dir) || strings.Contains(string(cgroup), "/pintle-sandbox") {
			found = append(found, "process: "+strings.ReplaceAll(string(raw), "\x00", " "))
		}
	}
	return found
}

// fileTraces looks in the folders outside its own that a sandbox's components use.
func fileTraces(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	patterns := []string{
		dir, "/sys/fs/cgroup/pintle-sandbox", "/sys/fs/cgroup/*/pintle-sandbox", "/var/lib/cni", "/var/lib/kubelet",
		"/var/lib/containerd", "/var/log/containers", "/var/log/pods", "/run/containerd", "/run/netns", "/opt/containerd",
		"/etc/cni", "/usr/libexec/kubernetes", "/var/run/kubernetes",
	}
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range matches {
			found = append(found, "file: "+match)
		}
	}
	return found
}

// expectNoNew fails for traces that were not there before.
func expectNoNew(t *testing.T, dir string, before []string) {
	t.Helper()
	for _, trace := range traces(t, dir) {
		if !slices.Contains(before, trace) {
			t.Errorf("left behind: %s", trace)
		}
	}
}
