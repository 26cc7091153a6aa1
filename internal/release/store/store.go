// Package store keeps release records in Secrets, ConfigMaps or memory, named
// and labelled as Helm does, behind few verbs and with optimistic locking. It
// knows the form of the stored objects and nothing of what a release does; it
// reaches a cluster only through the Objects that it is given.
package store

import (
	"context"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Records keeps the records of releases of one namespace. Errors about a single record are *RecordError. All verbs may be
// used from several goroutines.
type Records interface {
	// Create stores a new revision; release.ErrExists where it is recorded already.
	Create(ctx context.Context, r *release.Release) error
	// Update replaces a stored revision: release.ErrNotFound where there is
	// none, release.ErrConflict when its content is not what this store last
	// read or wrote. Without having read it before, the store reads it first.
	Update(ctx context.Context, r *release.Release) error
	// Delete removes one revision; one that is gone is not an error. Of the
	// record only name and revision matter.
	Delete(ctx context.Context, r *release.Release) error
	// Get reads one revision; release.ErrNotFound where there is none.
	Get(ctx context.Context, name string, revision int) (*release.Release, error)
	// Index lists a release's revisions in ascending order without decoding
	// them; it is empty for a release that is not recorded.
	Index(ctx context.Context, name string) ([]release.Entry, error)
	// History reads all revisions in ascending order. Records that cannot be
	// read are left out and joined into the error, beside which the others are given.
	History(ctx context.Context, name string) ([]*release.Release, error)
	// Outlines is History for those who show a table: it decodes only records
	// without a current hint, and gives outlines of the others.
	Outlines(ctx context.Context, name string) ([]*release.Release, error)
	// List gives the latest revision of each release, by namespace and name, as
	// Outlines does; unreadable ones as in History.
	List(ctx context.Context, opts ListOptions) ([]*release.Release, error)
	// Owner refers to the object that holds a revision, so that what belongs
	// to the revision can disappear with it. Where records are not objects the reference has nothing but a
	// UID, which tells the revision from an earlier one of the same name and number.
	Owner(ctx context.Context, name string, revision int) (*metav1.OwnerReference, error)
	// Capacity is how many bytes an encoded record may have; 0 for any number.
	Capacity() int
	// Accept says, without a request, what else keeps a record from being stored.
	Accept(r *release.Release) error
}

// Objects reads and writes objects of resources that are known beforehand. An
// empty namespace in a list means all of them. Errors are such that
// apimachinery's errors.IsNotFound, IsAlreadyExists and IsConflict see through them.
type Objects interface {
	Get(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error)
	List(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]unstructured.Unstructured, error)
	ListMetadata(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]metav1.PartialObjectMetadata, error)
	Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Delete(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) error
}

// Store keeps records as objects of a cluster, one for each revision.
type Store struct {
	objects   Objects
	medium    medium
	namespace string
	now       func() time.Time
	seen      seen
}

// NewSecrets keeps records in Secrets: Helm's default. The clock stamps the
// labels createdAt and modifiedAt.
func NewSecrets(objects Objects, namespace string, now func() time.Time) *Store {
	return &Store{objects: objects, medium: secrets, namespace: namespace, now: now}
}

// NewConfigMaps keeps records in ConfigMaps.
func NewConfigMaps(objects Objects, namespace string, now func() time.Time) *Store {
	return &Store{objects: objects, medium: configMaps, namespace: namespace, now: now}
}

// Open finds the store by the name that Helm's variable HELM_DRIVER gives it;
// "sql" is not among them, see package postgres.
func Open(driver string, objects Objects, namespace string, now func() time.Time) (*Store, error) {
	switch driver {
	case "", "secret", "secrets":
		return NewSecrets(objects, namespace, now), nil
	case "configmap", "configmaps":
		return NewConfigMaps(objects, namespace, now), nil
	case "memory":
		return NewSecrets(NewMemory(), namespace, now), nil
	default:
		return nil, fmt.Errorf("there is no storage driver %q: HELM_DRIVER must be secret, configmap, sql or memory", driver)
	}
}

// Capacity is what a Secret or ConfigMap holds. See Records.
func (s *Store) Capacity() int { return release.MaxSize }

// Accept takes every record. See Records.
func (s *Store) Accept(*release.Release) error { return nil }

// Create stores a new revision. See Records.
func (s *Store) Create(ctx context.Context, r *release.Release) error {
	obj, err := s.build(r, stamps{created: s.stamp()})
	if err != nil {
		return err
	}
	stored, err := s.objects.Create(ctx, s.medium.gvr, obj)
	if err != nil {
		if stored = s.arrived(ctx, obj, err); stored == nil {
			return s.fault(r.Name, r.Revision, notYetThere(err))
		}
	}
	s.seen.put(stored, s.medium)
	return nil
}

// Update replaces a stored revision. See Records.
func (s *Store) Update(ctx context.Context, r *release.Release) error {
	before, err := s.last(ctx, r.Name, r.Revision)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		obj, err := s.build(r, stamps{created: before.created, modified: s.stamp()})
		if err != nil {
			return err
		}
		before.carryOver(obj)
		stored, err := s.objects.Update(ctx, s.medium.gvr, obj)
		if err == nil {
			s.seen.put(stored, s.medium)
			return nil
		}
		fault := s.fault(r.Name, r.Revision, err)
		if !isConflict(err) || attempt == maxAttempts {
			return fault
		}
		if before, err = s.settle(ctx, obj, before); err != nil {
			return err
		}
		if before == nil {
			return nil
		}
	}
}

// maxAttempts bounds how often an update goes on after somebody else has
// changed labels or annotations of the same object in between.
const maxAttempts = 5

// Delete removes one revision. See Records.
func (s *Store) Delete(ctx context.Context, r *release.Release) error {
	err := s.objects.Delete(ctx, s.medium.gvr, s.namespace, ObjectName(r.Name, r.Revision))
	if err != nil && !isNotFound(err) {
		return s.fault(r.Name, r.Revision, err)
	}
	s.seen.drop(ObjectName(r.Name, r.Revision))
	return nil
}

// Get reads one revision. See Records.
func (s *Store) Get(ctx context.Context, name string, revision int) (*release.Release, error) {
	obj, err := s.objects.Get(ctx, s.medium.gvr, s.namespace, ObjectName(name, revision))
	if err != nil {
		return nil, s.fault(name, revision, err)
	}
	s.seen.put(obj, s.medium)
	return s.decode(obj)
}

// Owner refers to the object that holds a revision. See Records.
func (s *Store) Owner(ctx context.Context, name string, revision int) (*metav1.OwnerReference, error) {
	known, err := s.last(ctx, name, revision)
	if err != nil {
		return nil, err
	}
	return &metav1.OwnerReference{
		APIVersion: s.medium.gvr.GroupVersion().String(), Kind: s.medium.kind,
		Name: ObjectName(name, revision), UID: known.uid,
	}, nil
}

// last is what this store knows of the object, which it reads where it knows nothing.
func (s *Store) last(ctx context.Context, name string, revision int) (*sight, error) {
	if known := s.seen.get(ObjectName(name, revision)); known != nil {
		return known, nil
	}
	obj, err := s.objects.Get(ctx, s.medium.gvr, s.namespace, ObjectName(name, revision))
	if err != nil {
		return nil, s.fault(name, revision, err)
	}
	return s.seen.put(obj, s.medium), nil
}

// arrived finds out whether a create that was not refused, or that met its own
// earlier self, has reached the cluster: then the stored object has exactly our content.
func (s *Store) arrived(ctx context.Context, sent *unstructured.Unstructured, failure error) *unstructured.Unstructured {
	if refused(failure) {
		return nil
	}
	stored, err := s.objects.Get(ctx, s.medium.gvr, s.namespace, sent.GetName())
	if err != nil || s.medium.content(stored) != s.medium.content(sent) {
		return nil
	}
	return stored
}

// settle looks at what an update has met. Its own earlier self, sent twice by
// a bad network, means that it is done: both results are nil. Content that is
// still what it was, with other metadata, can be tried again upon. Any other content is
// release.ErrConflict.
func (s *Store) settle(ctx context.Context, sent *unstructured.Unstructured, before *sight) (*sight, error) {
	name, revision := identity(sent)
	stored, err := s.objects.Get(ctx, s.medium.gvr, s.namespace, sent.GetName())
	if err != nil {
		return nil, s.fault(name, revision, err)
	}
	switch now := newSight(stored, s.medium); now.sum {
	case newSight(sent, s.medium).sum:
		s.seen.put(stored, s.medium)
		return nil, nil
	case before.sum:
		return now, nil
	default:
		return nil, s.fault(name, revision, release.ErrConflict)
	}
}
