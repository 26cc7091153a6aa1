// Package locktest is a place for Leases in memory, for tests of locks and of
// what is above them.
package locktest

import (
	"context"
	"errors"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Leases answers as an API server does. It is safe for concurrent use.
type Leases struct {
	mu      sync.Mutex
	version int
	objects map[string]*unstructured.Unstructured
	fail    func(verb string) error
	counts  map[string]int
}

// New is an empty one.
func New() *Leases {
	return &Leases{objects: map[string]*unstructured.Unstructured{}, counts: map[string]int{}}
}

// Fail has every request ask f first what it fails with; nil for nothing.
func (l *Leases) Fail(f func(verb string) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = f
}

// Count is how many requests of a verb were made.
func (l *Leases) Count(verb string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[verb]
}

// Peek reads an object without a request; nil when it is not there.
func (l *Leases) Peek(name string) *unstructured.Unstructured {
	l.mu.Lock()
	defer l.mu.Unlock()
	if obj := l.objects[name]; obj != nil {
		return obj.DeepCopy()
	}
	return nil
}

// Remove takes an object away, as a person would.
func (l *Leases) Remove(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.objects, name)
}

// begin counts a request and holds the lock until the caller ends it.
func (l *Leases) begin(ctx context.Context, verb string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.counts[verb]++
	if l.fail == nil {
		return nil
	}
	return l.fail(verb)
}

// Get reads one object.
func (l *Leases) Get(ctx context.Context, gvr schema.GroupVersionResource, _, name string) (*unstructured.Unstructured, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.begin(ctx, "get"); err != nil {
		return nil, err
	}
	obj := l.objects[name]
	if obj == nil {
		return nil, apierrors.NewNotFound(gvr.GroupResource(), name)
	}
	return obj.DeepCopy(), nil
}

// Create stores a new object.
func (l *Leases) Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.begin(ctx, "create"); err != nil {
		return nil, err
	}
	if l.objects[obj.GetName()] != nil {
		return nil, apierrors.NewAlreadyExists(gvr.GroupResource(), obj.GetName())
	}
	stored := obj.DeepCopy()
	stored.SetUID(types.UID("uid-" + strconv.Itoa(l.version+1)))
	return l.put(stored), nil
}

// Update replaces an object in the version that obj names.
func (l *Leases) Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.begin(ctx, "update"); err != nil {
		return nil, err
	}
	if err := l.check(gvr, obj); err != nil {
		return nil, err
	}
	return l.put(obj.DeepCopy()), nil
}

// DeleteVersion removes an object in the version that obj names.
func (l *Leases) DeleteVersion(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.begin(ctx, "delete"); err != nil {
		return err
	}
	if err := l.check(gvr, obj); err != nil {
		return err
	}
	delete(l.objects, obj.GetName())
	return nil
}

func (l *Leases) check(gvr schema.GroupVersionResource, obj *unstructured.Unstructured) error {
	old := l.objects[obj.GetName()]
	switch {
	case old == nil && obj.GetUID() != "":
		// As an API server says it: the precondition is not met by what is not there.
		return apierrors.NewConflict(gvr.GroupResource(), obj.GetName(), errors.New("precondition failed: UID"))
	case old == nil:
		return apierrors.NewNotFound(gvr.GroupResource(), obj.GetName())
	case old.GetResourceVersion() != obj.GetResourceVersion() || old.GetUID() != obj.GetUID():
		return apierrors.NewConflict(gvr.GroupResource(), obj.GetName(), errors.New("the object has been modified"))
	}
	return nil
}

func (l *Leases) put(obj *unstructured.Unstructured) *unstructured.Unstructured {
	l.version++
	obj.SetResourceVersion(strconv.Itoa(l.version))
	l.objects[obj.GetName()] = obj
	return obj.DeepCopy()
}

// Seed puts an object in as it is.
func (l *Leases) Seed(obj *unstructured.Unstructured) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(obj.DeepCopy())
}
