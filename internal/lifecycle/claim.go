package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// claim is one operation's hold on its release, from before the history is
// read until after the last record. Without Leases it holds nothing, and the
// status of the latest revision is all that keeps two runs apart.
type claim struct {
	service   *Service
	name      string
	operation plan.Operation
	// lost is closed when another run has taken the lock.
	lost chan struct{}
	done chan struct{}
	// aside is what may still be written while the lock is being given back.
	aside sync.WaitGroup

	mu   sync.Mutex
	held *lock.Held
	// late tells that the lock is to be taken once its namespace is there.
	late   bool
	intent lock.Intent
	// journal is that of the revision which the operation works on.
	journal *journal
	// unsettled tells that the journal holds a hook's success that no change has
	// waited for yet.
	unsettled bool
	// open are revisions whose record says, or may say, that they are being
	// worked on, and why it still does.
	open map[int]error
	// owed are revisions of dead runs of whose hooks the ledger may not tell yet:
	// they stay in the lock when their records are final, too.
	owed []int
	// resumed is the one of them that is gone on with; 0 for none. Unmarked are
	// those whose records were not final, and were left so.
	resumed  int
	unmarked []int
	// wrote is the status that each record was last given by us.
	wrote map[int]release.Status
}

// exclusively runs an operation that changes the release while no other one
// does. A dry run changes nothing and takes no lock; what is a part of a
// larger operation, such as an automatic rollback, goes under that one's. What
// the cluster serves is read while the lock is being taken.
func (s *Service) exclusively(ctx context.Context, name string, op plan.Operation, mode DryRunMode, body func(*Service) (*Outcome, error)) (*Outcome, error) {
	informed := *s
	informed.discovery = s.discover(ctx)
	defer informed.discovery.end()
	if s.claim != nil || mode != Run {
		return body(&informed)
	}
	return informed.claiming(ctx, name, op, body)
}

// claiming runs an operation that holds the lock of its release.
func (s *Service) claiming(ctx context.Context, name string, op plan.Operation, body func(*Service) (*Outcome, error)) (*Outcome, error) {
	c := &claim{
		service: s, name: name, operation: op, lost: make(chan struct{}), done: make(chan struct{}),
		intent: lock.Intent{Operation: string(op)}, open: map[int]error{}, wrote: map[int]release.Status{},
	}
	if err := s.gathering(ctx, c.take); err != nil {
		c.end(ctx) // an interrupt may have come with the lock
		return nil, err
	}
	defer c.end(ctx)
	locked := *s
	locked.claim = c
	locked.Cluster = &guardedCluster{Cluster: s.Cluster, claim: c}
	locked.Records = &guardedRecords{Records: s.Records, claim: c}
	locked.Engine.Journal, locked.Engine.Aside = c, &c.aside
	locked.Signals.Stop = either(s.Signals.Stop, c.lost, c.done)
	out, err := body(&locked)
	return out, c.blame(ctx, err)
}

// blame says of an operation that stopped because its lock was lost that it
// was this: to the operation it looks like an interrupt.
func (c *claim) blame(ctx context.Context, err error) error {
	select {
	case <-c.lost:
	default:
		return err
	}
	lost := c.lock().Check(ctx)
	var failed *Failed
	switch {
	case lost == nil || err == nil:
	case errors.As(err, &failed):
		if failed.RecordErr == nil {
			failed.RecordErr = lost
		}
	case errors.Is(err, engine.ErrInterrupted):
		return lost
	}
	return err
}

// either is closed when one of two channels is; the third ends the watch.
func either(a, b, done <-chan struct{}) <-chan struct{} {
	out := make(chan struct{})
	go func() {
		select {
		case <-a:
		case <-b:
		case <-done:
			return
		}
		close(out)
	}()
	return out
}

// take takes the lock, or finds that there is none to take.
func (c *claim) take(ctx context.Context) error {
	locks := c.service.Locks
	if locks == nil {
		return nil
	}
	defer c.service.phase("lock")()
	held, err := locks.Acquire(ctx, c.name, string(c.operation))
	var denied *lock.DeniedError
	switch {
	case errors.Is(err, lock.ErrNoNamespace):
		c.mu.Lock()
		c.late = true
		c.mu.Unlock()
		return nil
	case errors.As(err, &denied):
		c.service.warn(diag.Problem{
			Severity: diag.Warning, Summary: "no permission to lock the release: two runs at once are kept apart by its status alone",
			Detail: denied.Error() + "; grant get, create, update and delete on leases of coordination.k8s.io",
		})
		return nil
	case err != nil:
		return err
	}
	c.hold(held)
	return nil
}

func (c *claim) hold(held *lock.Held) {
	c.mu.Lock()
	c.held, c.late = held, false
	c.mu.Unlock()
	go func() {
		select {
		case <-held.Lost():
			close(c.lost)
		case <-c.done:
		}
	}()
}

// lock is what we hold; nil for nothing.
func (c *claim) lock() *lock.Held {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}

// note says in the lock which revision the operation works on. It must be
// called before the first change.
func (c *claim) note(op plan.Operation, revision int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.intent = lock.Intent{Operation: string(op), Revision: revision}
	c.mu.Unlock()
	if held := c.lock(); held != nil {
		held.Note(c.intent)
	}
}

// check allows the next change to the cluster, or says why there must be none.
func (c *claim) check(ctx context.Context) error {
	c.mu.Lock()
	late := c.late
	c.mu.Unlock()
	if late {
		if err := c.take(ctx); err != nil {
			return err
		}
		if held := c.lock(); held != nil {
			held.Note(c.intent)
		}
	}
	if held := c.lock(); held != nil {
		return held.Check(ctx)
	}
	return nil
}

// dead are the revisions that a run which is gone has left without a final
// record, and what is known of that run.
func (c *claim) dead() ([]int, *lock.State) {
	if held := c.lock(); held != nil {
		return held.Unrecorded(), held.Previous()
	}
	return nil, nil
}

// forget takes revisions that the history does not hold (any more) off those
// that a dead run has left: nothing is to be done about them.
func (c *claim) forget(entries []release.Entry) {
	held := c.lock()
	if held == nil {
		return
	}
	gone := slices.DeleteFunc(held.Unrecorded(), func(n int) bool {
		return slices.ContainsFunc(entries, func(e release.Entry) bool { return e.Revision == n })
	})
	held.Settled(gone...)
}

// wroteStatus notes what a record says now.
func (c *claim) wroteStatus(revision int, status release.Status, err error) {
	if held := c.lock(); held != nil && err == nil && status.Final() && !c.owes(revision) {
		held.Settled(revision)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.open[revision] = err
	case status.Final():
		delete(c.open, revision)
		c.wrote[revision] = status
	default:
		c.open[revision] = fmt.Errorf("it is %s", status)
		c.wrote[revision] = status
	}
}

func (c *claim) removed(revision int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, revision)
}

// end gives the lock back, and returns when nothing of the operation is at work
// any more. When a revision has no final record, the lock says so to the next run.
func (c *claim) end(ctx context.Context) {
	defer c.aside.Wait()
	close(c.done)
	held := c.lock()
	if held == nil {
		return
	}
	defer c.service.phase("unlock")()
	ctx, cancel := lastWrite(ctx)
	defer cancel()
	var err error
	if left, why := c.leaves(); len(left) > 0 {
		err = held.Abandon(ctx, lock.Left{Revisions: left, Why: why, Records: c.recordsOf(ctx, left)})
	} else {
		err = held.Release(ctx)
	}
	if err != nil {
		c.service.warn(diag.Problem{
			Severity: diag.Warning, Summary: fmt.Sprintf("the lock of release %s could not be given back: it expires by itself", c.name), Detail: err.Error(),
		})
	}
}

// pause waits, or ends with ctx.
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
