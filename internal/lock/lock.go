// Package lock lets one operation at a time work on a release. A lock is a
// coordination.k8s.io/v1 Lease beside the release's records: it says who holds
// it and what for, its holder renews it in the background, and it expires when
// nobody has seen it change for a while on their own clock. The Lease is
// reached through an interface that this package declares.
//
// The package knows nothing of what operations do: whether a revision that a
// dead holder left is to be marked as failed is the business of
// internal/lifecycle, which is the only user beside the wiring.
package lock

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Leases reads and writes Leases. Errors are such that apimachinery's
// errors.IsNotFound, IsAlreadyExists, IsConflict and IsForbidden see through them.
type Leases interface {
	Get(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error)
	Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error)
	// Update replaces the version that the object names; another one is a conflict.
	Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error)
	// DeleteVersion removes the object if it is still in the version that obj
	// names; another one is a conflict.
	DeleteVersion(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) error
}

// Options tune a Locker; start from DefaultOptions.
type Options struct {
	// Expiry is how long a lock must have been seen unchanged before it is
	// taken over.
	Expiry time.Duration
	// Renew is the time between two renewals, Poll that between two looks at a
	// lock that another run holds.
	Renew, Poll time.Duration
	// Patience is how long a lock that is not being renewed is waited for.
	Patience time.Duration
	// Wait is how long one that is being renewed is waited for; 0 refuses at once.
	Wait time.Duration
	// GiveUp is how long a holder that cannot renew waits for the API server
	// with its next change.
	GiveUp time.Duration
	// Life judges a holder's process; nil looks for it on this machine.
	Life func(Holder) Life
	// Waiting is called once when waiting begins, and once more when the holder
	// turns out to be at work; nil for nobody.
	Waiting func(s State, renewed bool)
}

// DefaultOptions are those of the command line.
func DefaultOptions() Options {
	return Options{
		Expiry: 30 * time.Second, Renew: 3 * time.Second, Poll: time.Second,
		Patience: 40 * time.Second, GiveUp: 90 * time.Second,
	}
}

// margin is how long before its expiry a holder no longer trusts its own lock.
const margin = 5 * time.Second

// lookLimit bounds the look of a run that was stopped while it took a lock.
const lookLimit = 3 * time.Second

// Locker takes the locks of the releases of one namespace.
type Locker struct {
	leases    Leases
	namespace string
	self      Holder
	now       func() time.Time
	opts      Options
}

// New prepares a Locker; no request is made. The clock says how much time has
// passed and stamps Leases; it is never compared with another machine's.
func New(leases Leases, namespace string, self Holder, now func() time.Time, opts Options) *Locker {
	if opts.Life == nil {
		opts.Life = lifeOf
	}
	if opts.Waiting == nil {
		opts.Waiting = func(State, bool) {}
	}
	return &Locker{leases: leases, namespace: namespace, self: self, now: now, opts: opts}
}

// Acquire takes a release's lock for an operation, waiting as the options say.
// It fails with a *BusyError when another run holds it, a *DeniedError when
// Leases are not ours to use, and ErrNoNamespace. The lock must be given back
// with Release or Abandon.
func (l *Locker) Acquire(ctx context.Context, release, operation string) (*Held, error) {
	w := &waiter{locker: l, started: l.now()}
	for {
		held, err := l.create(ctx, release, operation)
		if held != nil || err != nil {
			return held, err
		}
		for {
			s, err := l.Look(ctx, release)
			if err != nil {
				return nil, err
			}
			if s == nil {
				break // gone in between
			}
			take, err := w.mayTake(*s)
			if err != nil {
				return nil, err
			}
			if take {
				held, err := l.Take(ctx, *s, operation)
				if !apierrors.IsConflict(err) {
					return held, err
				}
				continue
			}
			if err := pause(ctx, l.opts.Poll); err != nil {
				return nil, err
			}
		}
	}
}

// Look reads a release's lock; nil when there is none.
func (l *Locker) Look(ctx context.Context, release string) (*State, error) {
	obj, err := l.leases.Get(ctx, leases, l.namespace, Name(release))
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, l.denied(err)
	}
	s := read(obj)
	return &s, nil
}

// Take takes a lock over from whoever holds it, as it was seen; it is a
// conflict when it has changed since. It is for locks whose holder is gone, and for
// people who know better.
func (l *Locker) Take(ctx context.Context, seen State, operation string) (*Held, error) {
	s := l.fresh(seen.Release, operation)
	s.stored, s.Unrecorded, s.Journal = seen.stored, seen.Left(), seen.Journal
	sent := l.now()
	stored, err := l.leases.Update(ctx, leases, s.write(sent))
	if err != nil {
		if now, lookErr := l.Look(ctx, seen.Release); lookErr != nil || now == nil || now.identity != s.identity {
			return nil, l.denied(err)
		}
		return nil, apierrors.NewConflict(leases.GroupResource(), Name(seen.Release), err) // ours, of a lost answer: look again
	}
	s.stored = stored
	return l.hold(ctx, s, &seen, sent), nil
}

// create makes the Lease; both results are nil when there is one.
func (l *Locker) create(ctx context.Context, release, operation string) (*Held, error) {
	s := l.fresh(release, operation)
	sent := l.now()
	stored, err := l.leases.Create(ctx, leases, s.write(sent))
	switch {
	case err == nil:
		s.stored = stored
		return l.hold(ctx, s, nil, sent), nil
	case apierrors.IsAlreadyExists(err):
		return nil, nil
	case apierrors.IsNotFound(err):
		return nil, ErrNoNamespace
	case !apierrors.IsForbidden(err):
		// The answer may have been lost on the way, or to an interrupt.
		looking, done := lastLook(ctx)
		defer done()
		if now, lookErr := l.Look(looking, release); lookErr == nil && now != nil && now.identity == s.identity {
			s.stored = now.stored
			return l.hold(ctx, s, nil, sent), nil
		}
	}
	return nil, l.denied(err)
}

// lastLook is for finding out whether a lock was taken: whoever stops in this
// moment would leave it behind.
func lastLook(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), lookLimit)
}

func (l *Locker) fresh(release, operation string) State {
	return State{
		Release: release, Namespace: l.namespace, Holder: l.self, Intent: Intent{Operation: operation},
		Since: l.now(), identity: l.self.Identity(), expiry: l.opts.Expiry,
	}
}

func (l *Locker) denied(err error) error {
	if apierrors.IsForbidden(err) && !terminating(err) {
		return &DeniedError{Namespace: l.namespace, Err: err}
	}
	return err
}

// waiter watches another holder's lock on our own clock.
type waiter struct {
	locker  *Locker
	started time.Time
	// version is what was seen last, since when is by our clock.
	version string
	since   time.Time
	renewed bool
	told    int
}

// mayTake tells that the lock is free or its holder gone. When it is neither
// and waiting is over, the error is a *BusyError.
func (w *waiter) mayTake(s State) (bool, error) {
	l, now := w.locker, w.locker.now()
	life := l.opts.Life(s.Holder)
	if s.identity == "" || s.identity == l.self.Identity() || life == Dead {
		return true, nil
	}
	if v := s.stored.GetResourceVersion(); v != w.version {
		w.renewed = w.version != ""
		w.version, w.since = v, now
	}
	if life == Alive && now.Sub(s.Renewed).Abs() < l.opts.Expiry {
		w.renewed = true // one machine, one clock
	}
	quiet := now.Sub(w.since)
	if quiet >= s.expiryOr(l.opts.Expiry) {
		return true, nil
	}
	limit := max(l.opts.Patience, l.opts.Wait)
	if w.renewed {
		limit = l.opts.Wait
	}
	if waited := now.Sub(w.started); waited >= limit {
		return false, &BusyError{State: s, Renewed: w.renewed, Waited: waited, Now: now}
	}
	w.tell(s)
	return false, nil
}

// tell says once that we wait, and once that the holder is at work.
func (w *waiter) tell(s State) {
	level := 1
	if w.renewed {
		level = 2
	}
	if w.told < level {
		w.told = level
		w.locker.opts.Waiting(s, w.renewed)
	}
}

// expiryOr is the holder's own term where it makes sense.
func (s State) expiryOr(usual time.Duration) time.Duration {
	if s.expiry > usual && s.expiry <= 10*time.Minute {
		return s.expiry
	}
	return usual
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
