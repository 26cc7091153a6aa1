package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/sandbox/internal/host"
	"github.com/pintle-dev/pintle/sandbox/internal/process"
)

// sweepTimeout limits a sweep. It takes a second or two; what takes longer hangs
// in the kernel, and waiting on does not help.
const sweepTimeout = 30 * time.Second

// marker is the file by which a folder is known to be a sandbox's, so that no
// other folder is ever deleted.
const marker = "this-folder-belongs-to-pintle-sandbox"

// sweep ends every process of the sandbox in l and removes everything that it
// made on this machine, whatever state it is in. It is the same for a healthy
// sandbox, one that crashed and one whose machine was restarted, and it may run
// again after it failed.
func sweep(ctx context.Context, l Layout) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	// Unreadable state costs the kernel settings, and must not cost the sweep.
	remembered, found, err := loadState(l)
	if err != nil {
		found = false
	}
	if err := process.KillAll(ctx, func() ([]process.ID, error) { return processes(l, remembered) }); err != nil {
		return err
	}
	owner, err := host.NetworkOwner()
	if err != nil {
		return err
	}
	problems := []error{host.UnmountBelow(l.Dir)}
	// Another sandbox's network and cgroups are not ours to remove, and kube-proxy's
	// tables may belong to a Kubernetes that is no sandbox.
	if owner == l.Dir || owner == "" && isSandbox(l) {
		problems = append(problems, host.RemoveNetwork(ctx), host.RemoveCgroups(ctx))
	}
	problems = append(problems, removeStrays(l))
	if found {
		problems = append(problems, host.RestoreSettings(remembered.Settings))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	return removeDir(l)
}

// processes lists the sandbox's processes: those it recorded, those that carry
// its mark, and everything in its pods' cgroups.
func processes(l Layout, remembered *state) ([]process.ID, error) {
	ids, err := process.Marked(l.Dir)
	if err != nil {
		return nil, err
	}
	if remembered != nil {
		for _, component := range remembered.Components {
			if component.Alive() {
				ids = append(ids, component.ID)
			}
		}
	}
	owner, err := host.NetworkOwner()
	if err != nil {
		return nil, err
	}
	if owner != "" && owner != l.Dir {
		return ids, nil
	}
	contained, err := host.CgroupProcesses()
	return append(ids, contained...), err
}

// removeStrays removes the few files that components put outside our folder,
// where no setting moves them.
func removeStrays(l Layout) error {
	var problems []error
	// kubelet links each container's log.
	problems = append(problems, removeMatching("/var/log/containers/*", func(path string) bool {
		target, err := os.Readlink(path)
		return err == nil && strings.HasPrefix(target, l.Dir+"/")
	}))
	// The network library notes what each pod got, and where its namespace is.
	problems = append(problems, removeMatching("/var/lib/cni/results/*", func(path string) bool {
		raw, err := os.ReadFile(path)
		return err == nil && bytes.Contains(raw, []byte(l.Dir+"/"))
	}))
	// kubelet waits for device plugins at a place that no flag moves.
	problems = append(problems, removeMatching("/var/lib/kubelet/device-plugins/kubelet.sock", silent))
	// Shims listen there; a socket that nobody answers on is left over.
	problems = append(problems, removeMatching("/run/containerd/s/*", silent))
	for _, dir := range []string{
		"/var/log/containers", "/var/lib/cni/results", "/var/lib/cni", "/var/lib/kubelet/device-plugins", "/var/lib/kubelet",
		"/run/containerd/s", "/run/containerd",
	} {
		// Only empty folders go, and what is not empty belongs to somebody else.
		_ = os.Remove(dir)
	}
	return errors.Join(problems...)
}

// silent says whether nobody answers on a socket any more.
func silent(path string) bool { return listens("unix", path)(context.Background()) != nil }

func removeMatching(pattern string, ours func(string) bool) error {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("looking for %s: %w", pattern, err)
	}
	var problems []error
	for _, path := range paths {
		if !ours(path) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Errorf("removing what was left over: %w", err))
		}
	}
	return errors.Join(problems...)
}

// removeDir deletes the state folder, if it is one.
func removeDir(l Layout) error {
	if err := checkDir(l); err != nil {
		return err
	}
	return host.RemoveTree(l.Dir)
}

// checkDir refuses a folder that is neither missing, nor empty, nor a sandbox's.
func checkDir(l Layout) error {
	entries, err := os.ReadDir(l.Dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the state folder: %w", err)
	}
	if isSandbox(l) {
		return nil
	}
	return fmt.Errorf("%s is not empty and not a sandbox's: choose another folder with --dir", l.Dir)
}

// isSandbox says whether a sandbox was made in the folder.
func isSandbox(l Layout) bool {
	_, err := os.Stat(l.in(marker))
	return err == nil
}
