package store

import (
	"crypto/sha256"
	"maps"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// sight is what was last seen of a stored object: enough to replace exactly
// that version of it, and to keep what others have put there. It does not change.
type sight struct {
	uid             types.UID
	resourceVersion string
	created         string
	// sum is that of the content, to tell a change of it from one of metadata.
	sum         [sha256.Size]byte
	annotations map[string]string
	owners      []metav1.OwnerReference
	finalizers  []string
}

func newSight(obj *unstructured.Unstructured, m medium) *sight {
	return &sight{
		uid:             obj.GetUID(),
		resourceVersion: obj.GetResourceVersion(),
		created:         obj.GetLabels()[createdLabel],
		sum:             sha256.Sum256([]byte(m.content(obj))),
		annotations:     obj.GetAnnotations(),
		owners:          obj.GetOwnerReferences(),
		finalizers:      obj.GetFinalizers(),
	}
}

// carryOver gives an object that is to replace the seen one its version, and
// what others have put there.
func (s *sight) carryOver(obj *unstructured.Unstructured) {
	obj.SetResourceVersion(s.resourceVersion)
	obj.SetUID(s.uid)
	annotations := maps.Clone(s.annotations)
	delete(annotations, hintAnnotation)
	if annotations == nil {
		annotations = map[string]string{}
	}
	maps.Copy(annotations, obj.GetAnnotations())
	if len(annotations) > 0 {
		obj.SetAnnotations(annotations)
	}
	if len(s.owners) > 0 {
		obj.SetOwnerReferences(slices.Clone(s.owners))
	}
	if len(s.finalizers) > 0 {
		obj.SetFinalizers(s.finalizers)
	}
}

// seen remembers sights by the object's name.
type seen struct {
	mu      sync.Mutex
	objects map[string]*sight
}

func (s *seen) put(obj *unstructured.Unstructured, m medium) *sight {
	now := newSight(obj, m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = map[string]*sight{}
	}
	s.objects[obj.GetName()] = now
	return now
}

func (s *seen) get(name string) *sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[name]
}

func (s *seen) drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, name)
}
