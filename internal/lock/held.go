package lock

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Held is a lock that we hold. It is renewed in the background until it is
// given back. It is safe for concurrent use.
type Held struct {
	locker   *Locker
	previous *State
	lost     chan struct{}
	wake     chan struct{}
	stop     context.CancelFunc
	done     chan struct{}

	mu    sync.Mutex
	state State
	// confirmed is when the request was sent that the API server answered last.
	confirmed time.Time
	// noted counts what is to be written, written what has been.
	noted, written int
	// changed is closed whenever one of the above has changed.
	changed chan struct{}
	fault   *LostError
	// trouble is why the last renewal failed.
	trouble error
}

// hold begins the renewal of a lock that was just taken.
func (l *Locker) hold(ctx context.Context, s State, previous *State, sent time.Time) *Held {
	if previous != nil && previous.identity == "" && len(previous.Left()) == 0 {
		previous = nil // it was free
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	h := &Held{
		locker: l, previous: previous, state: s, confirmed: sent, stop: stop, done: make(chan struct{}),
		lost: make(chan struct{}), wake: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	go h.renew(ctx)
	return h
}

// Previous is the lock as its last holder left it, nil when nobody held it.
// That holder is gone, or was overruled.
func (h *Held) Previous() *State { return h.previous }

// Unrecorded are the revisions that earlier holders left without a final record.
func (h *Held) Unrecorded() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.state.Unrecorded)
}

// Lost is closed when the lock belongs to another run.
func (h *Held) Lost() <-chan struct{} { return h.lost }

// Check allows the next change to the cluster: it returns nil when the lock is
// ours and everything that was noted is in the Lease. While that is uncertain it waits; it
// fails with a *LostError, or when ctx ends.
func (h *Held) Check(ctx context.Context) error {
	for {
		h.mu.Lock()
		now, changed := h.locker.now(), h.changed
		sure := h.written == h.noted && elapsed(h.confirmed, now) < h.locker.opts.Expiry-margin
		late := elapsed(h.confirmed, now) - h.locker.opts.GiveUp
		fault, trouble := h.fault, h.trouble
		h.mu.Unlock()
		switch {
		case fault != nil:
			return fault
		case sure:
			return nil
		case apierrors.IsForbidden(trouble):
			return &LostError{Release: h.state.Release, Err: trouble}
		case late >= 0:
			if trouble == nil {
				trouble = errors.New("the API server does not answer")
			}
			return &LostError{Release: h.state.Release, Err: trouble}
		}
		h.Hurry()
		if err := await(ctx, changed, -late); err != nil {
			return err
		}
	}
}

// elapsed is the time between two readings of the clock: also that for which
// the machine slept, which the monotonic clock leaves out.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// await waits for a change, at most for that long.
func await(ctx context.Context, changed <-chan struct{}, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// Note puts into the Lease what is going to be done. It does not wait: Check does.
func (h *Held) Note(i Intent) {
	h.tell(func() { h.state.Intent = i; h.noted++ })
	h.Hurry()
}

// Journal puts into the Lease how far the operation has come, before the next
// change: Check waits for it.
func (h *Held) Journal(text string) {
	h.tell(func() { h.state.Journal = text; h.noted++ })
}

// Remark is Journal for what may be lost: nothing waits until it is written.
func (h *Held) Remark(text string) {
	h.tell(func() { h.state.Journal = text })
}

// Journaled is the journal as the Lease holds it, by the last answer.
func (h *Held) Journaled() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state.stored.GetAnnotations()[journalAnnotation]
}

// tell changes what is known and wakes whoever waits for a change.
func (h *Held) tell(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
	close(h.changed)
	h.changed = make(chan struct{})
}

// Hurry has the Lease written now instead of at the next turn. It does not wait.
func (h *Held) Hurry() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Settled takes revisions off the list of those without a final record, with
// the next renewal.
func (h *Held) Settled(revisions ...int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.Unrecorded = slices.DeleteFunc(h.state.Unrecorded, func(n int) bool { return slices.Contains(revisions, n) })
}

// Release gives the lock back: the Lease is gone afterwards. One that was lost
// is left to its new holder.
func (h *Held) Release(ctx context.Context) error {
	h.end()
	for {
		if h.isLost() {
			return nil
		}
		err := h.locker.leases.DeleteVersion(ctx, leases, h.stored().stored)
		switch {
		case err == nil || apierrors.IsNotFound(err):
			return nil
		case !apierrors.IsConflict(err):
			return err
		}
		if there, err := h.meet(ctx); err != nil || !there {
			return err
		}
	}
}

// Left is what a holder leaves to the next one.
type Left struct {
	// Revisions have no final record, Why says for what reason.
	Revisions []int
	Why       string
	// Records are the objects that hold these records. When all of them are gone
	// there is nothing left to do, and the Lease goes too; with none it stays.
	Records []metav1.OwnerReference
}

// Abandon gives the lock back with a note for the next holder.
func (h *Held) Abandon(ctx context.Context, left Left) error {
	h.end()
	for {
		if h.isLost() {
			return nil
		}
		s := h.stored()
		for _, n := range left.Revisions {
			if !slices.Contains(s.Unrecorded, n) {
				s.Unrecorded = append(s.Unrecorded, n)
			}
		}
		s.identity, s.Abandoned, s.Intent.Revision, s.owners = "", left.Why, 0, left.Records
		_, err := h.locker.leases.Update(ctx, leases, s.write(h.locker.now()))
		switch {
		case err == nil || apierrors.IsNotFound(err):
			return nil
		case !apierrors.IsConflict(err):
			return err
		}
		if there, err := h.meet(ctx); err != nil || !there {
			return err
		}
	}
}

// end stops the renewal and waits for its end.
func (h *Held) end() {
	h.stop()
	<-h.done
}

func (h *Held) isLost() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fault != nil
}

// stored is a copy of what we hold.
func (h *Held) stored() State {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.state
	s.Unrecorded = slices.Clone(s.Unrecorded)
	return s
}

// renew keeps the lock until it is given back or lost.
func (h *Held) renew(ctx context.Context) {
	defer close(h.done)
	next, wake := h.locker.opts.Renew, h.wake
	for {
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-wake:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
		next, wake = h.locker.opts.Renew, h.wake
		if err := h.once(ctx); err != nil && ctx.Err() == nil {
			next, wake = min(next, time.Second), nil // hurrying does not help now
			h.tell(func() { h.trouble = err })
		}
		if h.isLost() {
			return
		}
	}
}

// requestLimit bounds one renewal, so that a connection that hangs does not
// use up the time in which the lock is ours.
const requestLimit = 8 * time.Second

// once writes the Lease, as often as other versions of it that are ours get in
// the way.
func (h *Held) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	for {
		noted, s, sent := h.generation(), h.stored(), h.locker.now()
		stored, err := h.locker.leases.Update(ctx, leases, s.write(sent))
		if err != nil {
			stored, err = h.recover(ctx, s, err)
		}
		switch {
		case err != nil || h.isLost():
			return err
		case stored != nil:
			h.confirm(stored, noted, sent)
			return nil
		}
	}
}

// recover deals with a renewal that was refused. It returns what is to be gone
// on with, if that counts as a renewal, or nothing where the renewal is to be tried
// again.
func (h *Held) recover(ctx context.Context, s State, refusal error) (*unstructured.Unstructured, error) {
	// An API server calls the replacement of what is gone a conflict, too.
	if !apierrors.IsConflict(refusal) && !apierrors.IsNotFound(refusal) {
		return nil, refusal
	}
	there, err := h.meet(ctx)
	if err != nil || there {
		return nil, err
	}
	err = h.missing(ctx, s)
	if apierrors.IsAlreadyExists(err) {
		return nil, nil // somebody has made a new one meanwhile: look at that
	}
	return s.stored, err
}

// missing finds out what it means that the Lease is gone. In a namespace that is
// going away nobody else can have the lock, and it stays ours. Otherwise
// somebody took it away from us; whether they did must be seen by trying to put it back.
func (h *Held) missing(ctx context.Context, s State) error {
	s.stored = nil
	stored, err := h.locker.leases.Create(ctx, leases, s.write(h.locker.now()))
	switch {
	case apierrors.IsNotFound(err) || err != nil && terminating(err):
		return nil
	case err != nil:
		return err
	}
	h.lose(Holder{})
	return h.locker.leases.DeleteVersion(ctx, leases, stored)
}

// lose notes that the lock is another run's.
func (h *Held) lose(by Holder) {
	h.tell(func() {
		if h.fault == nil {
			h.fault = &LostError{Release: h.state.Release, By: by}
			close(h.lost)
		}
	})
}

// meet looks at what is in the Lease's place: our own earlier self, whose
// version we go on with, or another holder, to whom the lock is lost. It is
// false when nothing is there.
func (h *Held) meet(ctx context.Context) (there bool, err error) {
	now, err := h.locker.Look(ctx, h.state.Release)
	if err != nil || now == nil {
		return false, err
	}
	if now.identity != h.state.identity {
		h.lose(now.Holder)
		return true, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.stored = now.stored
	return true, nil
}

// confirm notes that the API server has taken what was sent.
func (h *Held) confirm(stored *unstructured.Unstructured, generation int, sent time.Time) {
	h.tell(func() {
		h.state.stored, h.confirmed, h.written, h.trouble = stored, sent, generation, nil
	})
}

// generation is that of what is to be written.
func (h *Held) generation() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.noted
}
