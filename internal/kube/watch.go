package kube

import (
	"context"
	"sync"

	"github.com/pintle-dev/pintle/internal/object"
	"golang.org/x/sync/errgroup"
)

// Watch subscribes to the targets and returns when their present state has
// been read: it comes first on the channel, then changes as they happen.
// Changes of one object that the receiver has not taken yet are merged into
// the latest, so a slow receiver costs no memory; its deletion is never merged
// with what another object of the same name did afterwards.
//
// A named object that is absent at first is reported as Gone with a nil
// Object. Objects come without managedFields and must not be changed. Targets
// of one kind, namespace and selector share one watch. A selector applies to
// the names beside it too. The channel is closed when ctx has ended and every
// request with it.
func (c *Client) Watch(ctx context.Context, targets []object.Target) (<-chan object.Observation, error) {
	queue := newQueue()
	sources, err := c.sources(ctx, targets, queue)
	if err != nil {
		return nil, err
	}
	group, listing := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, s := range sources {
		group.Go(func() error { return s.list(listing) })
	}
	if err := group.Wait(); err != nil {
		for _, s := range sources {
			s.leave()
		}
		return nil, err
	}
	out := make(chan object.Observation)
	go func() {
		defer close(out)
		var running sync.WaitGroup
		for _, s := range sources {
			running.Go(func() { s.run(ctx) })
		}
		queue.deliver(ctx, out)
		running.Wait()
	}()
	return out, nil
}

// sources groups targets into as few watches as will do.
func (c *Client) sources(ctx context.Context, targets []object.Target, queue *queue) ([]*source, error) {
	type id struct {
		path, selector string
		single         string
	}
	index := map[id]*source{}
	var all []*source
	for _, t := range targets {
		ref := object.Ref{Group: t.Group, Version: t.Version, Kind: t.Kind, Namespace: t.Namespace, Name: t.Name}
		p, err := c.locate(ctx, ref, false)
		if err != nil {
			return nil, c.refused("watch", ref, err)
		}
		k := id{path: p.path(""), selector: t.Selector}
		if heavy(ref) && t.Selector == "" && len(targets) <= mostSingles {
			k.single = t.Name
		}
		s := index[k]
		if s == nil {
			s = &source{client: c, place: p, selector: t.Selector, names: map[string]bool{}, queue: queue}
			index[k] = s
			all = append(all, s)
		}
		s.cover(t.Name)
	}
	return all, nil
}

// mostSingles is up to how many targets heavy kinds are watched by name.
const mostSingles = 10

// heavy kinds are watched by single names as long as those are few: a
// namespace may hold megabytes of them (release records among them) that are
// not ours.
func heavy(ref object.Ref) bool { return ref.Is("", "Secret") || ref.Is("", "ConfigMap") }
