package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// Locked is what keeps other runs from a release.
type Locked struct {
	Name string
	// Lock is the release's lock; nil where there is none. Its holder is nobody where
	// the last one gave it back with something left to do.
	Lock *lock.State
	// Pending is the latest revision when its record says that it is being
	// worked on; nil otherwise.
	Pending *release.Entry
}

// Any tells that there is something to unlock. What nobody holds keeps nobody out.
func (l *Locked) Any() bool { return l.Lock != nil && l.Lock.Holder.Known() || l.Pending != nil }

// Locked finds out what keeps other runs from a release. It changes nothing.
// It fails with engine.ErrInterrupted as soon as the user wants to stop.
func (s *Service) Locked(ctx context.Context, name string) (l *Locked, err error) {
	err = s.untilStop(ctx, func(ctx context.Context) error {
		l, err = s.locked(ctx, name)
		return err
	})
	return l, err
}

// untilStop ends what it does, with engine.ErrInterrupted, as soon as the user
// wants to stop.
func (s *Service) untilStop(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := endOn(ctx, s.Signals.Stop, engine.ErrInterrupted)
	defer cancel()
	err := do(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (s *Service) locked(ctx context.Context, name string) (*Locked, error) {
	l := &Locked{Name: name}
	if s.Locks != nil {
		state, err := s.Locks.Look(ctx, name)
		var denied *lock.DeniedError
		if err != nil && !errors.As(err, &denied) { // without the right to see locks the records are what there is
			return nil, err
		}
		l.Lock = state
	}
	h, err := s.history(ctx, name)
	if err != nil {
		return nil, err
	}
	if last := h.last(); last != nil && (last.Status.Pending() || last.Status == release.Uninstalling) {
		l.Pending = last
	}
	return l, nil
}

// Unlock takes a release over from whoever works on it, as it was seen by
// Locked: the other run stops before its next change, its revision is marked as failed, and
// the lock is free afterwards, although its Lease may stay to tell the next run of
// hooks whose story is not in the ledger yet. What was seen must still be so. It fails with
// engine.ErrInterrupted as soon as the user wants to stop; the next run then knows what is
// left to do.
func (s *Service) Unlock(ctx context.Context, seen *Locked) error {
	return s.untilStop(ctx, func(ctx context.Context) error { return s.unlock(ctx, seen) })
}

func (s *Service) unlock(ctx context.Context, seen *Locked) error {
	c := &claim{
		service: s, name: seen.Name, operation: plan.Operation("unlock"), lost: make(chan struct{}), done: make(chan struct{}),
		intent: lock.Intent{Operation: "unlock"}, open: map[int]error{}, wrote: map[int]release.Status{},
	}
	why := "it was unlocked by hand"
	if seen.Lock != nil {
		held, err := s.Locks.Take(ctx, *seen.Lock, "unlock")
		if err != nil {
			return fmt.Errorf("taking over the lock of %s: %w", seen.Name, err)
		}
		c.hold(held)
		if seen.Lock.Holder.Known() {
			why = fmt.Sprintf("%s was overruled by hand", seen.Lock.Holder)
		}
	} else if err := c.take(ctx); err != nil {
		return err
	}
	defer c.end(ctx)
	locked := *s
	locked.claim, locked.Records = c, &guardedRecords{Records: s.Records, claim: c}
	h, err := locked.history(ctx, seen.Name)
	if err != nil {
		return err
	}
	c.owe()
	dead, _ := c.dead()
	for i := range h.entries {
		e := &h.entries[i]
		if e.Status.Final() || e.Status == release.Unknown || seen.Pending != nil && e.Revision > seen.Pending.Revision {
			continue
		}
		if err := locked.markKilled(ctx, h, e, why); err != nil {
			return err
		}
	}
	c.buried(dead, h)
	return nil
}
