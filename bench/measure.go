package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tool is one of the compared binaries.
type tool struct {
	name string
	path string
}

// sample is what one run of a command cost.
type sample struct {
	Wall time.Duration `json:"wallNanoseconds"`
	CPU  time.Duration `json:"cpuNanoseconds"`
	// Peak is the most anonymous memory that was seen, in bytes: what the program
	// has written to, without the pages of its file.
	Peak int64 `json:"peakAnonymousBytes"`
}

// timed runs a command and measures it; what it prints is kept for its error.
func (b *bench) timed(ctx context.Context, t tool, args ...string) (sample, error) {
	s, _, err := b.exec(ctx, b.kubeconfig, t, args...)
	return s, err
}

// commandLimit ends a command that hangs: a scenario that fails must not keep
// the others from being measured.
const commandLimit = 5 * time.Minute

func (b *bench) exec(ctx context.Context, kubeconfig string, t tool, args ...string) (sample, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "HOME="+b.home, "XDG_CACHE_HOME="+filepath.Join(b.home, t.name))
	var out, faults bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &faults
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, nil, err
	}
	peak := watchPeak(cmd.Process.Pid)
	err := cmd.Wait()
	wall := time.Since(start)
	most := peak()
	if err != nil {
		return sample{}, nil, fmt.Errorf("%s %v: %w\n%s%s", t.name, args, err, faults.String(), out.String())
	}
	return sample{Wall: wall, CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Peak: most}, out.Bytes(), nil
}

// watchPeak follows a process's anonymous memory: every millisecond at first,
// since short commands live for tens of them, then less often. The kernel's own
// account of a child that has ended will not do: it begins with the memory of the
// parent that it was forked from, and counts the pages of the file.
func watchPeak(pid int) (last func() int64) {
	stop, done := make(chan struct{}), make(chan struct{})
	var peak int64
	go func() {
		defer close(done)
		status, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return
		}
		defer status.Close()
		page := make([]byte, 4096)
		for began := time.Now(); ; {
			pause := time.Millisecond
			if time.Since(began) > 200*time.Millisecond {
				pause = 5 * time.Millisecond
			}
			select {
			case <-stop:
				return
			case <-time.After(pause):
				n, _ := status.ReadAt(page, 0) // nothing, once the process is gone
				peak = max(peak, anonymous(string(page[:n])))
			}
		}
	}()
	return func() int64 { close(stop); <-done; return peak }
}

// anonymous reads a process's status, in bytes.
func anonymous(status string) int64 {
	for line := range strings.SplitSeq(status, "\n") {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// median of what a function reads from the samples.
func median[T int64 | time.Duration](samples []sample, of func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	switch n := len(values); {
	case n == 0:
		return 0
	case n%2 == 0:
		return (values[n/2-1] + values[n/2]) / 2
	default:
		return values[n/2]
	}
}

func wallOf(s sample) time.Duration { return s.Wall }
func cpuOf(s sample) time.Duration  { return s.CPU }
func peakOf(s sample) int64         { return s.Peak }

// extremes are the smallest and the largest wall time.
func extremes(samples []sample) (least, most time.Duration) {
	for i, s := range samples {
		if i == 0 || s.Wall < least {
			least = s.Wall
		}
		most = max(most, s.Wall)
	}
	return least, most
}
