package kubefake

import (
	"context"
	"errors"
	"sync"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

var (
	errUID      = errors.New("the UID in the precondition does not match")
	errModified = errors.New("the object has been modified")
)

// change is one event of a watch.
type change struct {
	version int
	kind    string
	key     object.Key
	object  *unstructured.Unstructured
	was     *unstructured.Unstructured
}

// watcher collects what its targets see until the receiver takes it.
type watcher struct {
	targets []target

	mu      sync.Mutex
	waiting []object.Observation
	filled  chan struct{}
}

type target struct {
	key      object.Key // Name empty: all of them
	selector labels.Selector
}

func (t target) covers(key object.Key) bool {
	return t.key.Group == key.Group && t.key.Kind == key.Kind && t.key.Namespace == key.Namespace &&
		(t.key.Name == "" || t.key.Name == key.Name)
}

func (t target) sees(key object.Key, obj *unstructured.Unstructured) bool {
	return obj != nil && t.covers(key) && t.selector.Matches(labels.Set(obj.GetLabels()))
}

// Watch behaves as the engine's Watcher demands, without merging changes.
func (c *Cluster) Watch(ctx context.Context, targets []object.Target) (<-chan object.Observation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &watcher{filled: make(chan struct{}, 1)}
	for _, t := range targets {
		ref := object.Ref{Group: t.Group, Version: t.Version, Kind: t.Kind, Namespace: t.Namespace, Name: t.Name}
		key, err := c.key(ref)
		if err == nil {
			err = c.record("watch", ref)
		}
		selector := labels.Everything()
		if err == nil && t.Selector != "" {
			selector, err = labels.Parse(t.Selector)
		}
		if err != nil {
			return nil, &object.RequestError{Verb: "watch", Ref: ref, Err: err}
		}
		w.targets = append(w.targets, target{key: key, selector: selector})
	}
	c.present(w)
	c.watchers[w] = true
	out := make(chan object.Observation)
	go func() {
		defer close(out)
		w.deliver(ctx, out)
		c.mu.Lock()
		delete(c.watchers, w)
		c.mu.Unlock()
	}()
	return out, nil
}

// present queues the state at the time of subscribing.
func (c *Cluster) present(w *watcher) {
	seen := map[object.Key]bool{}
	for _, t := range w.targets {
		if obj := c.objects[t.key]; t.key.Name != "" && !t.sees(t.key, obj) && !seen[t.key] {
			seen[t.key] = true
			w.put(object.Observation{Ref: c.refOf(t.key), Gone: true})
		}
		for _, key := range c.sorted() {
			if !seen[key] && t.sees(key, c.objects[key]) {
				seen[key] = true
				w.put(object.Observation{Ref: c.refOf(key), Object: visible(c.objects[key])})
			}
		}
	}
}

// tell passes a change to all watchers that it concerns, once each.
func (c *Cluster) tell(ch change) {
	c.changes = append(c.changes, ch)
	ref := c.refOf(ch.key)
	for w := range c.watchers {
		for _, t := range w.targets {
			saw, sees := t.sees(ch.key, ch.was), ch.kind != "DELETED" && t.sees(ch.key, ch.object)
			if sees || saw {
				w.put(object.Observation{Ref: ref, Object: visible(ch.object), Gone: !sees})
				break
			}
		}
	}
}

func visible(obj *unstructured.Unstructured) *unstructured.Unstructured {
	obj = obj.DeepCopy()
	unstructured.RemoveNestedField(obj.Object, "metadata", "managedFields")
	return obj
}

func (w *watcher) put(o object.Observation) {
	w.mu.Lock()
	w.waiting = append(w.waiting, o)
	w.mu.Unlock()
	select {
	case w.filled <- struct{}{}:
	default:
	}
}

func (w *watcher) take() (object.Observation, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return object.Observation{}, false
	}
	o := w.waiting[0]
	w.waiting = w.waiting[1:]
	return o, true
}

func (w *watcher) deliver(ctx context.Context, out chan<- object.Observation) {
	for {
		o, ok := w.take()
		if !ok {
			select {
			case <-w.filled:
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case out <- o:
		case <-ctx.Done():
			return
		}
	}
}
