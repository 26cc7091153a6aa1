// Package engine runs plans: it walks the stages, runs hooks, applies,
// waits, follows logs and writes records, all through the small interfaces
// declared here. It emits events, draws nothing, and decides nothing that the
// plan could have decided.
package engine

import (
	"context"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Applier reads and changes single objects. Errors are *object.RequestError
// around the API server's own. Implementations retry what is safe to retry
// and may be called from several goroutines. Objects passed in are not changed.
type Applier interface {
	// Apply sends a server-side apply and returns the object as stored. The
	// options are PatchOptions, as only those have a FieldValidation.
	Apply(ctx context.Context, obj *unstructured.Unstructured, opts metav1.PatchOptions) (*unstructured.Unstructured, error)
	// Create sends a POST and returns the object as stored. After an attempt
	// whose answer was lost it is repeated only when the object is not there; an
	// object that was there before is never returned.
	Create(ctx context.Context, obj *unstructured.Unstructured, opts metav1.CreateOptions) (*unstructured.Unstructured, error)
	// Delete asks for deletion and does not wait for it. An object that is not
	// there is an error for which apierrors.IsNotFound holds.
	Delete(ctx context.Context, ref object.Ref, opts metav1.DeleteOptions) error
	// Get reads one object; not found as for Delete.
	Get(ctx context.Context, ref object.Ref) (*unstructured.Unstructured, error)
	// MigrateManagers rewrites the managedFields entries that client-side
	// applies left on the live object, so that the next Apply owns them.
	// It makes no request where there is nothing to migrate.
	MigrateManagers(ctx context.Context, live *unstructured.Unstructured) error
}

// Watcher observes objects.
type Watcher interface {
	// Watch subscribes to the targets and returns when the present state of all
	// of them has been read, so that nothing which happens afterwards is missed.
	// The present state comes first on the channel, then changes as they happen
	// (a change may be merged with a later one of the same object, never lost).
	// An object that a target names and that is absent when Watch is called is
	// reported once as Gone with a nil Object; a Gone with an Object was seen to
	// go. Objects come without managedFields and must not be changed.
	// Broken connections are taken up again. The channel is closed when ctx ends;
	// the caller must receive until then or end ctx.
	Watch(ctx context.Context, targets []object.Target) (<-chan object.Observation, error)
}

// LogStreamer reads containers' logs.
type LogStreamer interface {
	// Follow calls line for each line of the container's log from its first one
	// and returns nil when the container has ended and all was read. It takes a
	// broken stream up again without losing or repeating lines, waits for a
	// container that has not started, and ends when ctx ends.
	Follow(ctx context.Context, pod object.Ref, container string, line func(ledger.Line)) error
	// Tail reads the last n lines that the container has written so far; those
	// of its previous life when the present one has not said anything.
	Tail(ctx context.Context, pod object.Ref, container string, n int) ([]ledger.Line, error)
}

// EventReader reads the Kubernetes events about objects.
type EventReader interface {
	// Events are those about the object with that UID, oldest first.
	Events(ctx context.Context, about object.Ref, uid string) ([]ledger.ObjectEvent, error)
}

// Ledger keeps what hooks and tests did. The engine calls it beside its work
// and never waits for it between two hooks; what it cannot keep does not fail
// the release.
type Ledger interface {
	// Begin prepares for what will be told of a revision whose record has just
	// been created. It is called beside the operation's work; what goes wrong
	// goes wrong again with Append.
	Begin(ctx context.Context, release string, revision int)
	// Append adds runs to the ledgers of their revisions. After an error the
	// engine may give the same runs again, together with later ones.
	Append(ctx context.Context, runs []ledger.Run) error
	// Conclude adds how an operation went, step by step, with the last of its
	// runs; after an error as Append.
	Conclude(ctx context.Context, course ledger.Course, runs []ledger.Run) error
	// Detach lets the ledger of a revision outlive its record, which is about
	// to be removed.
	Detach(ctx context.Context, release string, revision int) error
	// Knows tells whether a run of that release has created the object with
	// that UID.
	Knows(ctx context.Context, release, uid string) (bool, error)
	// Read gives the runs that are kept, those which it can read even with an
	// error about the rest.
	Read(ctx context.Context, w ledger.Wanted) ([]ledger.Run, error)
}

// Recorder keeps release records.
type Recorder interface {
	// Create stores a new revision; one that exists is an error.
	Create(ctx context.Context, r *release.Release) error
	// Update replaces a stored revision.
	Update(ctx context.Context, r *release.Release) error
	// Delete removes one revision; one that is gone is not an error.
	Delete(ctx context.Context, r *release.Release) error
}
