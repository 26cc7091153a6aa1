package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// floor is the least that a chain of Jobs can take: a bare program that
// watches, and creates the next one when it sees the one before complete.
const floor = "floor"

// hookChain measures the time from one hook's completion to the next one's
// creation, as an independent watch sees both. Each gap is a sample.
func (b *bench) hookChain(n, rounds int) func(context.Context) ([]row, error) {
	return func(ctx context.Context) ([]row, error) {
		dir, err := b.chart(chain(n))
		if err != nil {
			return nil, err
		}
		if err := b.furnish(ctx); err != nil {
			return nil, err
		}
		defer b.remove(ctx, "chain")
		r := newRow(fmt.Sprintf("hook to hook, %d hooks", n), "from a Job's completion to the next one's creation")
		tools := append(b.peers(1), tool{name: floor})
		if n <= 5 {
			tools = append(b.peers(2), tool{name: floor})
		}
		r.Note = fmt.Sprintf("%d gaps in each of %d rounds", n-1, rounds)
		for round := range rounds { // the first gap of a round is its warm-up
			if round > 0 && time.Now().After(b.until) {
				break
			}
			for _, t := range tools {
				gaps, err := b.runChain(ctx, t, dir, n)
				if err != nil {
					return measured([]*row{r}), err
				}
				for _, g := range gaps {
					r.Samples[t.name] = append(r.Samples[t.name], sample{Wall: g})
				}
			}
		}
		return measured([]*row{r}), nil
	}
}

// runChain installs the chart with a tool, and removes it again.
func (b *bench) runChain(ctx context.Context, t tool, dir string, n int) ([]time.Duration, error) {
	if err := b.gone(ctx); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	seen, err := b.watchFor(watching, jobs, place, complete)
	if err != nil {
		return nil, err
	}
	if t.name == floor {
		return gapsOf(seen, n, b.bareChain(ctx, n))
	}
	if _, err := b.timed(ctx, t, "install", "chain", dir, "-n", place); err != nil {
		return nil, err
	}
	gaps, err := gapsOf(seen, n, nil)
	_, uninstall := b.timed(ctx, t, "uninstall", "chain", "-n", place)
	return gaps, errors.Join(err, uninstall)
}

// gapsOf are those of the chain.
func gapsOf(s *sightings, n int, err error) ([]time.Duration, error) {
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var gaps []time.Duration
	for i := 1; i < n; i++ {
		done, ok := s.done[fmt.Sprintf("hook-%02d", i-1)]
		next, created := s.created[fmt.Sprintf("hook-%02d", i)]
		if !ok || !created {
			return nil, fmt.Errorf("the watch did not see hooks %d and %d", i-1, i)
		}
		gaps = append(gaps, next.Sub(done))
	}
	return gaps, nil
}

// bareChain runs the Jobs of a chain without any tool.
func (b *bench) bareChain(ctx context.Context, n int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w, err := b.client.Resource(jobs).Namespace(place).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer w.Stop()
	if err := b.bareJob(ctx, 0); err != nil {
		return err
	}
	next := 1
	for e := range w.ResultChan() {
		obj, ok := e.Object.(*unstructured.Unstructured)
		if !ok || !complete(obj) || obj.GetName() != fmt.Sprintf("hook-%02d", next-1) {
			continue
		}
		if next == n {
			return nil
		}
		if err := b.bareJob(ctx, next); err != nil {
			return err
		}
		next++
	}
	return fmt.Errorf("the watch ended before Job %d", next)
}

func (b *bench) bareJob(ctx context.Context, i int) error {
	return b.create(ctx, jobs, place, fmt.Sprintf("hook-%02d", i), "Job", map[string]any{"spec": map[string]any{
		"backoffLimit": int64(0),
		"template": map[string]any{"spec": map[string]any{
			"restartPolicy": "Never", "terminationGracePeriodSeconds": int64(0),
			"containers": []any{map[string]any{"name": "c", "image": "busybox:1.36", "command": []any{"sh", "-c", "echo hello"}}},
		}},
	}})
}

// tests measures ten tests, which each take a moment: one after another by all
// tools, and side by side by the one that can.
func (b *bench) tests(ctx context.Context) ([]row, error) {
	dir, err := b.chart(testPods(10))
	if err != nil {
		return nil, err
	}
	if err := b.furnish(ctx); err != nil {
		return nil, err
	}
	defer b.remove(ctx, "tested")
	if _, err := b.timed(ctx, b.tools[0], "install", "tested", dir, "-n", place); err != nil {
		return nil, err
	}
	serial := newRow("10 tests, one after another", "pods that succeed at once")
	parallel := newRow("10 tests, side by side", "--parallel 10; Helm has no such thing")
	parallel.Note = "Helm: one after another"
	err = b.turns(ctx, b.peers(1), 2, func(at turn) error {
		s, err := b.timed(ctx, at.tool, "test", "tested", "-n", place)
		if err != nil {
			return err
		}
		serial.add(at, s)
		if at.tool.name != b.tools[0].name {
			parallel.add(at, s)
			return nil
		}
		s, err = b.timed(ctx, at.tool, "test", "tested", "-n", place, "--parallel", "10")
		parallel.add(at, s)
		return err
	})
	return measured([]*row{serial, parallel}), err
}
