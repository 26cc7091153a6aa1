package host

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// PluginDir is where Debian keeps the network plugins.
const PluginDir = "/usr/lib/cni"

// minimumSpace is what a sandbox with a few databases needs on disk, in bytes.
const minimumSpace = 2 << 30

// Lack is one thing that the machine misses.
type Lack struct {
	// What is missing, as a sentence without its full stop.
	What string
	// Remedy says how to get it.
	Remedy string
	// Package is the Debian package that brings it, if one does.
	Package string
}

// programs maps what must be there to the Debian package that brings it. Names
// without a slash are looked up in PATH.
var programs = []struct{ name, pkg string }{
	{"containerd", "containerd"},
	{"containerd-shim-runc-v2", "containerd"},
	{"runc", "runc"},
	{PluginDir + "/ptp", "containernetworking-plugins"},
	{PluginDir + "/host-local", "containernetworking-plugins"},
	{PluginDir + "/loopback", "containernetworking-plugins"},
	{"ip", "iproute2"},
	{"nft", "nftables"},
	{"mount", "mount"},
}

// controllers are the cgroup controllers without which kubelet does not start.
var controllers = []string{"cpu", "cpuset", "memory", "pids"}

// Check says what the machine lacks to run a sandbox with its state below dir
// and its addresses in network. It changes nothing that lasts.
func Check(ctx context.Context, dir string, network Network) []Lack {
	if os.Geteuid() != 0 {
		return []Lack{{What: "this needs root: it mounts, makes network interfaces and starts containers", Remedy: "run it as root"}}
	}
	lacks := missingPrograms()
	lacks = append(lacks, missingControllers()...)
	lacks = append(lacks, missingSpace(dir)...)
	if _, err := os.Stat("/dev/kmsg"); err != nil {
		lacks = append(lacks, Lack{What: "/dev/kmsg is not there, and kubelet reads it", Remedy: "run on a machine or VM, or in a privileged container with /dev/kmsg"})
	}
	if !kernelHasOverlay(ctx) {
		lacks = append(lacks, Lack{What: "the kernel has no overlay file system", Remedy: "use a kernel with CONFIG_OVERLAY_FS"})
	}
	// The next probes need programs; without them they would say the wrong thing.
	if len(missingPrograms()) == 0 {
		lacks = append(lacks, networkLacks(ctx, network)...)
	}
	return lacks
}

func missingPrograms() []Lack {
	var lacks []Lack
	for _, program := range programs {
		if !installed(program.name) {
			lacks = append(lacks, Lack{
				What:    fmt.Sprintf("%s is not installed", program.name),
				Remedy:  "apt-get install --no-install-recommends " + program.pkg,
				Package: program.pkg,
			})
		}
	}
	return lacks
}

// installed says whether a program is there: at its path, or in PATH for a name
// without a slash.
func installed(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

func missingControllers() []Lack {
	raw, err := os.ReadFile("/proc/cgroups")
	if err != nil {
		return []Lack{{What: "the kernel has no cgroups", Remedy: "use a kernel with CONFIG_CGROUPS"}}
	}
	present := string(raw)
	// On a unified machine /proc/cgroups leaves out what has no version 1 form.
	if unified, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		present += "\n" + strings.ReplaceAll(string(unified), " ", "\t1\n")
	}
	mounts, err := cgroupMounts()
	if err != nil || len(mounts) == 0 {
		return []Lack{{What: "no cgroup hierarchy is mounted", Remedy: "mount /sys/fs/cgroup, as init systems and container engines do"}}
	}
	var lacks []Lack
	for _, controller := range controllers {
		found := false
		for line := range strings.Lines(present) {
			fields := strings.Fields(line)
			found = found || len(fields) > 0 && fields[0] == controller && fields[len(fields)-1] != "0"
		}
		if !found {
			lacks = append(lacks, Lack{What: "the kernel does not offer the cgroup controller " + controller, Remedy: "enable it in the kernel or its command line"})
		}
	}
	return lacks
}

func missingSpace(dir string) []Lack {
	at := dir
	for {
		if _, err := os.Stat(at); err == nil || at == "/" || at == "." {
			break
		}
		at = filepath.Dir(at)
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(at, &stat); err != nil {
		return []Lack{{What: fmt.Sprintf("the free space of %s is not to be found out: %v", at, err), Remedy: "choose another folder with --dir"}}
	}
	if free := stat.Bavail * uint64(stat.Bsize); free < minimumSpace {
		return []Lack{{
			What:   fmt.Sprintf("%s has %d MiB free, less than %d", at, free>>20, minimumSpace>>20),
			Remedy: "free some, or choose another folder with --dir",
		}}
	}
	return nil
}

func kernelHasOverlay(ctx context.Context) bool {
	has := func() bool {
		raw, err := os.ReadFile("/proc/filesystems")
		return err == nil && strings.Contains(string(raw), "\toverlay\n")
	}
	if has() {
		return true
	}
	// The module may be there but not loaded; without modprobe it is not.
	_, _ = run(ctx, "", "modprobe", "overlay")
	return has()
}

// networkLacks tries what the network needs by doing it under names of its own.
func networkLacks(ctx context.Context, network Network) []Lack {
	var lacks []Lack
	probes := []struct {
		what, remedy string
		try, undo    []string
		stdin        string
	}{
		{
			what: "network bridges cannot be made", remedy: "use a kernel with CONFIG_BRIDGE, and give the container CAP_NET_ADMIN",
			try: []string{"ip", "link", "add", "pintleprobe0", "type", "bridge"}, undo: []string{"ip", "link", "del", "pintleprobe0"},
		},
		{
			what: "virtual ethernet links cannot be made", remedy: "use a kernel with CONFIG_VETH",
			try: []string{"ip", "link", "add", "pintleprobe1", "type", "veth", "peer", "name", "pintleprobe2"}, undo: []string{"ip", "link", "del", "pintleprobe1"},
		},
		{
			what: "nftables rules that translate addresses cannot be made", remedy: "use a kernel with CONFIG_NF_TABLES and CONFIG_NFT_MASQ",
			try: []string{"nft", "-f", "-"}, undo: []string{"nft", "delete", "table", "ip", "pintle-probe"},
			stdin: "table ip pintle-probe { chain c { type nat hook postrouting priority srcnat; ip saddr 192.0.2.1 masquerade; }; }\n",
		},
	}
	for _, probe := range probes {
		// What an interrupted check left behind would look like a failure.
		_, _ = run(ctx, "", probe.undo[0], probe.undo[1:]...)
		if _, err := run(ctx, probe.stdin, probe.try[0], probe.try[1:]...); err != nil {
			lacks = append(lacks, Lack{What: fmt.Sprintf("%s (%v)", probe.what, err), Remedy: probe.remedy})
			continue
		}
		_, _ = run(ctx, "", probe.undo[0], probe.undo[1:]...)
	}
	if foreignProxy(ctx) {
		lacks = append(lacks, Lack{
			What:   "another Kubernetes' kube-proxy has its rules on this machine, under the names that ours would use",
			Remedy: "use a machine or VM without one",
		})
	}
	if clash := overlap(ctx, network.Prefix); clash != "" {
		lacks = append(lacks, Lack{
			What:   fmt.Sprintf("the network %s is in use on this machine (%s)", network.Prefix, clash),
			Remedy: "choose another private /16 with --network",
		})
	}
	return lacks
}

// overlap returns a route of the machine, other than the sandbox's own and
// default routes, that shares addresses with prefix.
func overlap(ctx context.Context, prefix netip.Prefix) string {
	routes, err := run(ctx, "", "ip", "-4", "route", "show")
	if err != nil {
		return ""
	}
	own, err := sandboxLinks(ctx)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(routes) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "default" || usesLink(fields, own) {
			continue
		}
		route, err := netip.ParsePrefix(fields[0])
		if err != nil {
			address, err := netip.ParseAddr(fields[0])
			if err != nil {
				continue
			}
			route = netip.PrefixFrom(address, address.BitLen())
		}
		if route.Overlaps(prefix) && route.Bits() > 0 {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func usesLink(fields, links []string) bool {
	for i, field := range fields {
		if field != "dev" || i+1 >= len(fields) {
			continue
		}
		for _, link := range links {
			if fields[i+1] == link {
				return true
			}
		}
	}
	return false
}
