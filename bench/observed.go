package main

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
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
			s.note(e, time.Now(), done)
		}
	}()
	return s, nil
}

func (s *sightings) note(e watch.Event, at time.Time, done func(*unstructured.Unstructured) bool) {
	obj, ok := e.Object.(*unstructured.Unstructured)
	if !ok || e.Type == watch.Deleted {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.created[obj.GetName()]; !seen {
		s.created[obj.GetName()] = at
	}
	if _, seen := s.done[obj.GetName()]; !seen && done(obj) {
		s.done[obj.GetName()] = at
	}
}

// last is when something was done last.
func (s *sightings) last() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last time.Time
	for _, at := range s.done {
		if at.After(last) {
			last = at
		}
	}
	return last
}

func complete(o *unstructured.Unstructured) bool { return hasCondition(o, "Complete") }

func ready(o *unstructured.Unstructured) bool { return hasCondition(o, "Ready") }

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

// gone deletes all Jobs and waits until no pod is left, so that rounds do not
// disturb each other.
func (b *bench) gone(ctx context.Context) error {
	policy := metav1.DeletePropagationBackground
	if err := b.client.Resource(jobs).Namespace(place).DeleteCollection(ctx, metav1.DeleteOptions{PropagationPolicy: &policy}, metav1.ListOptions{}); err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		left, err := b.client.Resource(pods).Namespace(place).List(ctx, metav1.ListOptions{})
		return err == nil && len(left.Items) == 0, nil
	})
}
