// Package process starts the sandbox's components as processes that outlive the
// command that started them, and recognises and ends them again later.
//
// A process is known by its id together with its start time, so that an id that
// the kernel has given to somebody else meanwhile is never signalled. Processes
// that nobody recorded are found by a marker in their environment. The package
// never looks for a process by its name.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// markerVariable is set, to the sandbox's state folder, in the environment of
// every component. What a component starts outside containers inherits it:
// containerd's shims above all. It is not a variable that users set.
const markerVariable = "PINTLE_SANDBOX_COMPONENT_OF"

// ID names one process for as long as the machine runs.
type ID struct {
	PID int `json:"pid"`
	// Started is the process's start in clock ticks since the machine booted,
	// as in field 22 of /proc/PID/stat.
	Started uint64 `json:"started"`
}

// Spec says how to start one component.
type Spec struct {
	Name string   `json:"name"`
	Path string   `json:"path"`
	Args []string `json:"args"`
	// Env is the process's environment but for PATH and HOME. Nothing else is
	// inherited: a proxy that the caller's shell names, above all, must not get
	// between components.
	Env []string `json:"env,omitempty"`
	// Log is the file that takes stdout and stderr, appended to.
	Log string `json:"log"`
}

// Running is a component that was started by this process.
type Running struct {
	ID ID
	// Ended is closed when the process has ended; Err is valid afterwards.
	Ended <-chan struct{}
	err   error
}

// Err says how the process ended. Call it after Ended was closed.
func (r *Running) Err() error { return r.err }

// Start starts spec in a session of its own, marked as belonging to the sandbox
// in folder dir. The process goes on when its starter ends.
func Start(spec Spec, dir string) (*Running, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	defer log.Close()
	cmd := exec.Command(spec.Path, spec.Args...) //nolint:noctx // it outlives whoever starts it
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), markerVariable + "=" + dir}, spec.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	id, err := Identify(cmd.Process.Pid)
	if err != nil {
		// It has not been waited for, so it can be a zombie but not be gone.
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	ended := make(chan struct{})
	running := &Running{ID: id, Ended: ended}
	go func() {
		running.err = cmd.Wait()
		close(ended)
	}()
	return running, nil
}

// Identify returns the identity of the process that has pid now.
func Identify(pid int) (ID, error) {
	stat, err := readStat(pid)
	if err != nil {
		return ID{}, err
	}
	return ID{PID: pid, Started: stat.started}, nil
}

// Alive says whether the process still runs. One that has ended but was not
// reaped by its parent counts as ended.
func (id ID) Alive() bool {
	if id.PID <= 1 {
		return false
	}
	stat, err := readStat(id.PID)
	return err == nil && stat.started == id.Started && !stat.ended()
}

// Signal sends sig to the process, and nothing to another process that has
// taken over its id. A process that has ended is no error.
func (id ID) Signal(sig syscall.Signal) error {
	if !id.Alive() {
		return nil
	}
	if err := syscall.Kill(id.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signalling process %d: %w", id.PID, err)
	}
	return nil
}

// Marked lists the running processes that were started, directly or not, by the
// sandbox in folder dir.
func Marked(dir string) ([]ID, error) {
	pids, err := all()
	if err != nil {
		return nil, err
	}
	want := []byte(markerVariable + "=" + dir)
	var found []ID
	for _, pid := range pids {
		environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		if err != nil {
			continue // ended meanwhile, or a kernel thread
		}
		for entry := range bytes.SplitSeq(environ, []byte{0}) {
			if bytes.Equal(entry, want) {
				if id, err := Identify(pid); err == nil && id.Alive() {
					found = append(found, id)
				}
				break
			}
		}
	}
	return found, nil
}

// all lists the ids of all processes but this one.
func all() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// stat is what this package needs of /proc/PID/stat.
type stat struct {
	state   byte
	started uint64
}

func (s stat) ended() bool { return s.state == 'Z' || s.state == 'X' }

func readStat(pid int) (stat, error) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, fmt.Errorf("reading the state of process %d: %w", pid, err)
	}
	return parseStat(string(raw))
}

// parseStat reads a line of /proc/PID/stat. The command name in its second field
// may contain blanks and brackets; the last bracket ends it.
func parseStat(line string) (stat, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("unexpected process state %q", line)
	}
	fields := strings.Fields(line[end+1:])
	const startTime = 22 - 3 // field 22 of the line, and the third is our first
	if len(fields) <= startTime || len(fields[0]) != 1 {
		return stat{}, fmt.Errorf("unexpected process state %q", line)
	}
	started, err := strconv.ParseUint(fields[startTime], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("unexpected process state %q: %w", line, err)
	}
	return stat{state: fields[0][0], started: started}, nil
}
