package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pintle-dev/pintle/sandbox/internal/process"
)

// CgroupName is the cgroup, directly below the root of every hierarchy, that
// holds the sandbox's pods. kubelet knows it as its root and touches no other.
const CgroupName = "pintle-sandbox"

// cgroupMount is one mounted hierarchy: the unified one, or one of version 1.
type cgroupMount struct {
	dir     string
	unified bool
}

// MakeCgroups makes the sandbox's cgroup in every hierarchy.
func MakeCgroups() error {
	mounts, err := cgroupMounts()
	if err != nil {
		return err
	}
	for _, mount := range mounts {
		dir := filepath.Join(mount.dir, CgroupName)
		if mount.unified {
			if err := delegate(mount.dir); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making a cgroup: %w", err)
		}
		if mount.unified {
			if err := delegate(dir); err != nil {
				return err
			}
		} else if err := seedCpuset(mount.dir, dir); err != nil {
			return err
		}
	}
	return nil
}

// delegate lets the children of a version 2 cgroup use all of its controllers.
func delegate(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading cgroup controllers: %w", err)
	}
	for controller := range strings.FieldsSeq(string(raw)) {
		// Some controllers refuse where real-time tasks run or a parent holds
		// processes; what is then really missing, kubelet says best.
		_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
	}
	return nil
}

// seedCpuset copies the parent's cpus and memory nodes into a new cpuset of
// version 1, which starts empty and takes no process until it has some.
func seedCpuset(parent, dir string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), value, 0o644)
		}
		if err != nil {
			return fmt.Errorf("filling a cpuset: %w", err)
		}
	}
	return nil
}

// CgroupProcesses lists the processes in the sandbox's cgroups: those of all
// containers, whoever started them.
func CgroupProcesses() ([]process.ID, error) {
	dirs, err := cgroupDirs()
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	var found []process.ID
	for _, dir := range dirs {
		raw, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue // removed meanwhile
		}
		for field := range strings.FieldsSeq(string(raw)) {
			pid, err := strconv.Atoi(field)
			if err != nil || seen[pid] {
				continue
			}
			seen[pid] = true
			if id, err := process.Identify(pid); err == nil && id.Alive() {
				found = append(found, id)
			}
		}
	}
	return found, nil
}

// RemoveCgroups removes the sandbox's cgroups. Their processes must have ended;
// the kernel may need a moment to notice that, which it is given until ctx ends.
func RemoveCgroups(ctx context.Context) error {
	for {
		dirs, err := cgroupDirs()
		if err != nil {
			return err
		}
		if len(dirs) == 0 {
			return nil
		}
		var last error
		for _, dir := range slices.Backward(dirs) {
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				last = err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("removing cgroups: %w", errors.Join(last, ctx.Err()))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// cgroupDirs lists the sandbox's cgroups in all hierarchies, parents first.
func cgroupDirs() ([]string, error) {
	mounts, err := cgroupMounts()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, mount := range mounts {
		root := filepath.Join(mount.dir, CgroupName)
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
				return nil // removed while we looked
			}
			if err == nil && entry.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("listing cgroups: %w", err)
		}
	}
	return dirs, nil
}

// cgroupMounts lists the hierarchies mounted on this machine.
func cgroupMounts() ([]cgroupMount, error) {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, fmt.Errorf("listing mounts: %w", err)
	}
	defer file.Close()
	var mounts []cgroupMount
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 3 && (fields[2] == "cgroup" || fields[2] == "cgroup2") {
			mounts = append(mounts, cgroupMount{dir: unescapeMount(fields[1]), unified: fields[2] == "cgroup2"})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("listing mounts: %w", err)
	}
	return mounts, nil
}
