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
	// RSS is the peak resident memory in bytes.
	RSS int64 `json:"peakBytes"`
}

// row is one line of the result: one scenario, all tools.
type row struct {
	Scenario string              `json:"scenario"`
	What     string              `json:"what"`
	Samples  map[string][]sample `json:"samples"`
	// Requests are those that the API server got, counted in a run of its own.
	Requests map[string]int64 `json:"requests,omitempty"`
}

func newRow(scenario, what string) *row {
	return &row{Scenario: scenario, What: what, Samples: map[string][]sample{}, Requests: map[string]int64{}}
}

// timed runs a command and measures it; what it prints is kept for its error.
func (b *bench) timed(ctx context.Context, t tool, args ...string) (sample, error) {
	return b.exec(ctx, b.kubeconfig, t, args...)
}

func (b *bench) exec(ctx context.Context, kubeconfig string, t tool, args ...string) (sample, error) {
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "HOME="+b.home, "XDG_CACHE_HOME="+filepath.Join(b.home, t.name))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	peak := watchPeak(cmd.Process.Pid)
	err := cmd.Wait()
	wall := time.Since(start)
	rss := peak()
	if err != nil {
		return sample{}, fmt.Errorf("%s %v: %w\n%s", t.name, args, err, out.String())
	}
	return sample{Wall: wall, CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), RSS: rss}, nil
}

// watchPeak follows the peak of a process's resident memory. The kernel's own
// account of a child that has ended will not do: it begins with the memory of
// the parent that it was forked from.
func watchPeak(pid int) (last func() int64) {
	stop, done := make(chan struct{}), make(chan struct{})
	var peak int64
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				peak = max(peak, highWater(pid))
			}
		}
	}()
	return func() int64 { close(stop); <-done; return peak }
}

// highWater reads the peak so far, in bytes; 0 for a process that is gone.
func highWater(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
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
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}

func wallOf(s sample) time.Duration { return s.Wall }
func cpuOf(s sample) time.Duration  { return s.CPU }
func rssOf(s sample) int64          { return s.RSS }

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
