package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Memory is Objects without a cluster: it keeps objects for the life of the
// process and answers as an API server does: names are unique, versions count
// up, a replacement of an older version is a conflict, data has its limit.
type Memory struct {
	mu      sync.Mutex
	version int
	objects map[spot]*unstructured.Unstructured
}

// spot is where an object is.
type spot struct {
	resource        schema.GroupVersionResource
	namespace, name string
}

// NewMemory is an empty one.
func NewMemory() *Memory { return &Memory{objects: map[spot]*unstructured.Unstructured{}} }

// Get reads one object.
func (m *Memory) Get(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	obj, ok := m.objects[spot{gvr, namespace, name}]
	if !ok {
		return nil, apierrors.NewNotFound(gvr.GroupResource(), name)
	}
	return obj.DeepCopy(), nil
}

// List reads the objects that the selector matches, by namespace and name.
func (m *Memory) List(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	match, err := labels.Parse(selector)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []unstructured.Unstructured
	for at, obj := range m.objects {
		if at.resource == gvr && (namespace == "" || at.namespace == namespace) && match.Matches(labels.Set(obj.GetLabels())) {
			found = append(found, *obj.DeepCopy())
		}
	}
	slices.SortFunc(found, func(a, b unstructured.Unstructured) int {
		return slices.Compare([]string{a.GetNamespace(), a.GetName()}, []string{b.GetNamespace(), b.GetName()})
	})
	return found, nil
}

// ListMetadata is List without the contents.
func (m *Memory) ListMetadata(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]metav1.PartialObjectMetadata, error) {
	objects, err := m.List(ctx, gvr, namespace, selector)
	metas := make([]metav1.PartialObjectMetadata, len(objects))
	for i, obj := range objects {
		metas[i].ObjectMeta = metav1.ObjectMeta{
			Name: obj.GetName(), Namespace: obj.GetNamespace(), UID: obj.GetUID(), ResourceVersion: obj.GetResourceVersion(),
			Labels: obj.GetLabels(), Annotations: obj.GetAnnotations(), OwnerReferences: obj.GetOwnerReferences(),
		}
	}
	return metas, err
}

// Create stores a new object.
func (m *Memory) Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := spot{gvr, obj.GetNamespace(), obj.GetName()}
	if _, ok := m.objects[at]; ok {
		return nil, apierrors.NewAlreadyExists(gvr.GroupResource(), at.name)
	}
	if err := checkData(gvr, obj); err != nil {
		return nil, err
	}
	stored := obj.DeepCopy()
	m.version++
	stored.SetUID(types.UID(fmt.Sprintf("00000000-0000-0000-0000-%012d", m.version)))
	return m.put(at, stored), nil
}

// Update replaces an object.
func (m *Memory) Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := spot{gvr, obj.GetNamespace(), obj.GetName()}
	old, ok := m.objects[at]
	if !ok {
		return nil, apierrors.NewNotFound(gvr.GroupResource(), at.name)
	}
	if v := obj.GetResourceVersion(); v != "" && v != old.GetResourceVersion() || obj.GetUID() != "" && obj.GetUID() != old.GetUID() {
		return nil, apierrors.NewConflict(gvr.GroupResource(), at.name, fmt.Errorf("the object has been modified"))
	}
	if err := checkData(gvr, obj); err != nil {
		return nil, err
	}
	stored := obj.DeepCopy()
	stored.SetUID(old.GetUID())
	return m.put(at, stored), nil
}

// Delete removes an object.
func (m *Memory) Delete(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := spot{gvr, namespace, name}
	if _, ok := m.objects[at]; !ok {
		return apierrors.NewNotFound(gvr.GroupResource(), name)
	}
	delete(m.objects, at)
	return nil
}

// put stores the object under its next version and gives a copy. The lock is held.
func (m *Memory) put(at spot, obj *unstructured.Unstructured) *unstructured.Unstructured {
	m.version++
	obj.SetResourceVersion(strconv.Itoa(m.version))
	m.objects[at] = obj
	return obj.DeepCopy()
}

// checkData refuses data that is too big, as the API server does for Secrets and ConfigMaps.
func checkData(gvr schema.GroupVersionResource, obj *unstructured.Unstructured) error {
	data, _, _ := unstructured.NestedStringMap(obj.Object, "data")
	size := 0
	for _, value := range data {
		if gvr.Resource == secrets.gvr.Resource {
			size += base64.StdEncoding.DecodedLen(len(value))
			continue
		}
		size += len(value)
	}
	if size > release.MaxSize+2 { // DecodedLen counts the padding
		return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("data: must have at most %d bytes", release.MaxSize))
	}
	return nil
}
