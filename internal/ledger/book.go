package ledger

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Objects reads and writes objects of resources that are known beforehand.
// Errors are such that apimachinery's errors.IsNotFound, IsAlreadyExists and
// IsConflict see through them.
type Objects interface {
	Get(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error)
	List(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]unstructured.Unstructured, error)
	ListMetadata(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]metav1.PartialObjectMetadata, error)
	Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Delete(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) error
}

// Owners finds the object that holds a revision's record: release.ErrNotFound
// where there is no such record. Where records are not objects the reference has
// only a UID, that of the record, or is nil.
type Owners interface {
	Owner(ctx context.Context, name string, revision int) (*metav1.OwnerReference, error)
}

// Bounds limit what a Book keeps; start from DefaultBounds.
type Bounds struct {
	// Part is the size in bytes of one stored part, Revision that of all parts
	// of one revision.
	Part, Revision int
	// Tests is how many runs of a revision's tests are kept.
	Tests int
	// Parts is how many parts a release may have in all its revisions.
	Parts int
	// Unowned is how many revisions are kept where records are not objects.
	Unowned int
	// Keep is for how long the ledger of a record that Pintle has removed stays.
	Keep time.Duration
}

// DefaultBounds stay below the limit of 1 MiB that Secrets have.
func DefaultBounds() Bounds {
	return Bounds{Part: 768 << 10, Revision: 3 << 20, Tests: 20, Parts: 20, Unowned: 10, Keep: 7 * 24 * time.Hour}
}

// Book keeps the ledgers of one namespace's releases in Secrets. Runs are
// appended optimistically: two runs of Pintle may write to one revision at the
// same time and neither loses what the other wrote. A Book may be used from
// several goroutines.
type Book struct {
	objects   Objects
	owners    Owners
	namespace string
	now       func() time.Time
	bounds    Bounds

	mu      sync.Mutex
	volumes map[volumeKey]*volume
	indexes map[string][]metav1.PartialObjectMetadata
	tidied  map[string]bool
	// refused are the revisions of which the cluster has said no for good: nothing
	// more is tried for them.
	refused map[volumeKey]bool
}

// NewBook keeps ledgers beside the records of a namespace.
func NewBook(objects Objects, owners Owners, namespace string, now func() time.Time, bounds Bounds) *Book {
	return &Book{
		objects: objects, owners: owners, namespace: namespace, now: now, bounds: bounds,
		volumes: map[volumeKey]*volume{}, refused: map[volumeKey]bool{}, tidied: map[string]bool{}, indexes: map[string][]metav1.PartialObjectMetadata{},
	}
}

// WriteError means that what hooks and tests did could not be kept.
type WriteError struct {
	Release string
	// Lasting tells that the cluster refuses it (permission, quota): the Book
	// gives that revision up and takes what follows of it without a word.
	Lasting bool
	Err     error
}

// Error is one sentence.
func (e *WriteError) Error() string {
	return fmt.Sprintf("the ledger of release %s could not be written: %v", e.Release, e.Err)
}

// Unwrap gives the cause.
func (e *WriteError) Unwrap() error { return e.Err }

// Append adds runs to the ledgers of their revisions. Errors are *WriteError;
// after one that is not Lasting the same runs may be given again: a run that
// is stored twice is read once.
func (b *Book) Append(ctx context.Context, runs []Run) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.addAll(ctx, documents(runs))
}

// Begin reads what is stored of a revision, and removes what is kept no longer,
// ahead of the first write: that one is on the way of the operation's end.
func (b *Book) Begin(ctx context.Context, name string, revision int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refused[volumeKey{name, revision}] {
		return
	}
	tidied := b.tidy(ctx, name, revision)
	_, _ = b.volume(ctx, name, revision) // the write meets the error again
	<-tidied
}

func (b *Book) addAll(ctx context.Context, documents []document) error {
	for _, d := range documents {
		key := volumeKey{d.Release, d.Revision}
		if b.refused[key] {
			continue
		}
		tidied := b.tidy(ctx, d.Release, d.Revision)
		err := b.add(ctx, d)
		<-tidied
		if err != nil {
			b.refused[key] = lasting(err)
			return &WriteError{Release: d.Release, Lasting: b.refused[key], Err: err}
		}
	}
	return nil
}

// lasting tells refusals that the next try would meet too: permission, quota,
// a policy.
func lasting(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsInvalid(err) ||
		apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsMethodNotSupported(err)
}

// maxAttempts bounds how often a write begins anew after another run's.
const maxAttempts = 8

// add writes a document into the revision's last part, and into new ones.
func (b *Book) add(ctx context.Context, d document) error {
	var err error
	for range maxAttempts {
		var v *volume
		if v, err = b.volume(ctx, d.Release, d.Revision); err != nil {
			return err
		}
		packed, tooBig := v.fit(d, b.bounds)
		if tooBig != nil {
			return tooBig
		}
		if err = b.write(ctx, v, packed); err == nil {
			return nil
		}
		delete(b.volumes, volumeKey{d.Release, d.Revision})
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return err
}

// write brings members into the volume and the volume into the cluster.
func (b *Book) write(ctx context.Context, v *volume, packed []member) error {
	for _, m := range packed {
		v.append(m, b.bounds.Part)
	}
	for _, p := range v.parts {
		if err := b.store(ctx, v, p); err != nil {
			return err
		}
	}
	v.parts = slices.DeleteFunc(v.parts, func(p *part) bool { return len(p.members) == 0 })
	return nil
}

// store writes one part that has changed: a new one, one that has grown, or
// one of which nothing is left.
func (b *Book) store(ctx context.Context, v *volume, p *part) error {
	if !p.changed {
		return nil
	}
	name := objectName(v.release, v.revision, p.number)
	if len(p.members) == 0 {
		if err := b.objects.Delete(ctx, secrets, b.namespace, name); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		return nil
	}
	obj := b.build(v, p)
	put := b.objects.Create
	if p.version != "" {
		put = b.objects.Update
	}
	stored, err := put(ctx, secrets, obj)
	if err != nil {
		if stored = b.arrived(ctx, obj, err); stored == nil {
			return err
		}
	}
	if p.version == "" {
		delete(b.indexes, v.release)
	}
	p.version, p.changed = stored.GetResourceVersion(), false
	return nil
}

// arrived finds out whether a write that met its own earlier self, sent twice
// by a bad network, is done.
func (b *Book) arrived(ctx context.Context, sent *unstructured.Unstructured, failure error) *unstructured.Unstructured {
	if !apierrors.IsConflict(failure) && !apierrors.IsAlreadyExists(failure) {
		return nil
	}
	stored, err := b.objects.Get(ctx, secrets, b.namespace, sent.GetName())
	if err != nil || content(stored) != content(sent) {
		return nil
	}
	return stored
}

// volume is what is stored of one revision, read where it is not known.
func (b *Book) volume(ctx context.Context, name string, revision int) (*volume, error) {
	key := volumeKey{name, revision}
	if v := b.volumes[key]; v != nil {
		return v, nil
	}
	owner, err := b.owners.Owner(ctx, name, revision)
	v := &volume{release: name, revision: revision, owner: owner}
	if errors.Is(err, release.ErrNotFound) {
		v.detached = b.now() // the record is gone: the ledger is kept like that of any other such
	} else if err != nil {
		return nil, err
	}
	objects, err := b.objects.List(ctx, secrets, b.namespace, selector(name, revision))
	if err != nil {
		return nil, err
	}
	for i := range objects {
		_, number, ok := identity(&objects[i])
		if !ok {
			continue
		}
		v.last = max(v.last, number)
		if !v.owns(&objects[i]) {
			continue // of an earlier release of that name
		}
		v.parts = append(v.parts, readPart(&objects[i], number))
	}
	slices.SortFunc(v.parts, func(a, b *part) int { return cmp.Compare(a.number, b.number) })
	b.volumes[key] = v
	return v, nil
}

func content(obj *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(obj.Object, "data", dataKey)
	return text
}

func unwrap(obj *unstructured.Unstructured) ([]byte, error) {
	return base64.StdEncoding.DecodeString(content(obj))
}
