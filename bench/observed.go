package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// sightings are when an independent watch saw something happen to an object.
type sightings struct {
	mu      sync.Mutex
	created map[string]time.Time
	done    map[string]time.Time
}

// watchFor notes creations, and the moment at which done first holds.
func (b *bench) watchFor(ctx context.Context, gvr schema.GroupVersionResource, ns string, done func(*unstructured.Unstructured) bool) (*sightings, error) {
	w, err := b.client.Resource(gvr).Namespace(ns).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	s := &sightings{created: map[string]time.Time{}, done: map[string]time.Time{}}
	go func() {
		defer w.Stop()
		for e := range w.ResultChan() {
			s.note(e, done)
		}
	}()
	return s, nil
}

func (s *sightings) note(e watch.Event, done func(*unstructured.Unstructured) bool) {
	obj, ok := e.Object.(*unstructured.Unstructured)
	if !ok || e.Type == watch.Deleted {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.created[obj.GetName()]; !seen {
		s.created[obj.GetName()] = time.Now()
	}
	if _, seen := s.done[obj.GetName()]; !seen && done(obj) {
		s.done[obj.GetName()] = time.Now()
	}
}

func hasCondition(obj *unstructured.Unstructured, kind string) bool {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		if m["type"] == kind && m["status"] == "True" {
			return true
		}
	}
	return false
}

// hookGap measures the time from one hook's completion to the next one's
// creation, as an independent watch sees both.
func (b *bench) hookGap(ctx context.Context, n int) ([]row, error) {
	dir, err := b.chart(hookChain(n))
	if err != nil {
		return nil, err
	}
	r := newRow(fmt.Sprintf("hook to hook, %d hooks", n), "from a Job's completion to the next one's creation")
	err = b.turns(ctx, max(1, b.rounds/2), func(t tool, counted bool) error {
		if err := b.client.Resource(jobs).Namespace("bench").DeleteCollection(ctx, background(), metav1.ListOptions{}); err != nil {
			return err
		}
		watching, stop := context.WithCancel(ctx)
		defer stop()
		seen, err := b.watchFor(watching, jobs, "bench", func(o *unstructured.Unstructured) bool { return hasCondition(o, "Complete") })
		if err != nil {
			return err
		}
		s, err := b.timed(ctx, t, "install", "chain", dir, "-n", "bench")
		if err != nil {
			return err
		}
		if s.Wall, err = seen.gap(n); err != nil {
			return err
		}
		if counted {
			r.Samples[t.name] = append(r.Samples[t.name], s)
		}
		_, err = b.timed(ctx, t, "uninstall", "chain", "-n", "bench")
		return err
	})
	return []row{*r}, err
}

// gap is the median over the chain.
func (s *sightings) gap(n int) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gaps []time.Duration
	for i := 1; i < n; i++ {
		done, ok := s.done[fmt.Sprintf("hook-%02d", i-1)]
		next, created := s.created[fmt.Sprintf("hook-%02d", i)]
		if !ok || !created {
			return 0, fmt.Errorf("the watch did not see hooks %d and %d", i-1, i)
		}
		gaps = append(gaps, next.Sub(done))
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2], nil
}

// readiness measures the time from the last pod's readiness to the end of --wait.
func (b *bench) readiness(ctx context.Context) ([]row, error) {
	dir, err := b.chart(probed(5))
	if err != nil {
		return nil, err
	}
	r := newRow("readiness noticed", "from the last pod's Ready to the end of --wait")
	err = b.turns(ctx, max(1, b.rounds/2), func(t tool, counted bool) error {
		watching, stop := context.WithCancel(ctx)
		defer stop()
		seen, err := b.watchFor(watching, pods, "bench", func(o *unstructured.Unstructured) bool { return hasCondition(o, "Ready") })
		if err != nil {
			return err
		}
		s, err := b.timed(ctx, t, "install", "probed", dir, "-n", "bench", "--wait")
		if err != nil {
			return err
		}
		ended := time.Now()
		var last time.Time
		seen.mu.Lock()
		for _, at := range seen.done {
			if at.After(last) {
				last = at
			}
		}
		seen.mu.Unlock()
		s.Wall = ended.Sub(last)
		if counted {
			r.Samples[t.name] = append(r.Samples[t.name], s)
		}
		_, err = b.timed(ctx, t, "uninstall", "probed", "-n", "bench")
		return err
	})
	return []row{*r}, err
}

func background() metav1.DeleteOptions {
	policy := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{PropagationPolicy: &policy}
}

// list measures `list` of 200 releases of 10 revisions of 50 kB each.
func (b *bench) list(ctx context.Context) ([]row, error) {
	var rows []row
	for _, writer := range []string{"helm", "pintle"} {
		ns := "bench-list-" + writer
		if err := b.records(ctx, ns, writer == "pintle", 200, 10, 50<<10); err != nil {
			return nil, err
		}
		r := newRow("list, records by "+writer, "200 releases of 10 revisions of 50 kB")
		err := b.turns(ctx, b.rounds, func(t tool, counted bool) error {
			s, err := b.timed(ctx, t, "list", "-n", ns, "--max", "300")
			if counted {
				r.Samples[t.name] = append(r.Samples[t.name], s)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, t := range b.tools {
			if r.Requests[t.name], err = b.counted(ctx, t, "list", "-n", ns, "--max", "300"); err != nil {
				return nil, err
			}
		}
		rows = append(rows, *r)
	}
	return rows, nil
}

// records writes release records side by side.
func (b *bench) records(ctx context.Context, ns string, hints bool, releases, revisions, size int) error {
	if err := b.namespace(ctx, ns); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range releases {
		group.Go(func() error {
			for v := 1; v <= revisions; v++ {
				if err := b.record(ctx, ns, fmt.Sprintf("rel-%03d", i), v, v == revisions, hints, size); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
