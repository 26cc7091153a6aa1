// Package lifecycle holds the use cases: install, upgrade, rollback,
// uninstall and test. Each gathers its inputs, has a plan built, and has the
// engine run it; after a failure it builds the plan for that and runs it too.
// It reaches the cluster and the records through interfaces that it declares,
// prints nothing, and knows no exit codes.
package lifecycle

import (
	"context"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/version"
)

// Cluster is what gathering asks of a cluster, beside what the engine does.
type Cluster interface {
	engine.Cluster
	// Discover reads what is served, and the server's version.
	Discover(ctx context.Context) (*object.Catalog, *version.Info, error)
	// Snapshot reads the live state of the given objects. What is not there, or
	// of a kind that is not served, is missing in the answer.
	Snapshot(ctx context.Context, refs []object.Ref) (map[object.Key]*unstructured.Unstructured, error)
	// Denied gives those of the accesses that are not permitted.
	Denied(ctx context.Context, wanted []object.Access) ([]object.Access, error)
	// Lookup answers the template function of that name.
	Lookup(ctx context.Context, apiVersion, kind, namespace, name string) (map[string]any, error)
}

// Records is where release records are kept, for one namespace.
type Records interface {
	engine.Recorder
	// Get reads one revision; release.ErrNotFound where there is none.
	Get(ctx context.Context, name string, revision int) (*release.Release, error)
	// Index lists a release's revisions in ascending order, without decoding
	// them; empty for a release that does not exist.
	Index(ctx context.Context, name string) ([]release.Entry, error)
	// Owner refers to the object that holds a revision: release.ErrNotFound where
	// there is no such record, nothing or a reference without a kind where records
	// are no objects.
	Owner(ctx context.Context, name string, revision int) (*metav1.OwnerReference, error)
	// Capacity is how many bytes an encoded record may have; 0 for any number.
	Capacity() int
	// Accept says, without a request, what else keeps a record from being stored.
	Accept(r *release.Release) error
}

// Signals tell the service that the user wants it to stop. Both channels are
// closed, never sent on; nil ones never ask.
type Signals struct {
	// Stop: start nothing new, stop what runs, record, roll back if asked.
	Stop <-chan struct{}
	// Abort: record and leave.
	Abort <-chan struct{}
}

// Service runs operations against one cluster and one namespace's records.
type Service struct {
	Cluster Cluster
	Records Records
	Now     func() time.Time
	Sink    event.Sink
	Signals Signals
	Engine  engine.Options
	// Locks keep two runs on one release apart; nil for none.
	Locks *lock.Locker
	// StaleAfter is how old the record of a revision must be that is being worked on
	// before it is taken for dead, where no lock tells; 0 means DefaultStaleAfter.
	StaleAfter time.Duration
	// StopOrphans stops what runs that are gone have left running, instead of
	// waiting for its end.
	StopOrphans bool

	// Phases is told what takes how long beside the steps of plans; nil for nobody.
	Phases PhaseClock

	// claim is the operation's hold on its release; nil before and without.
	claim *claim
	// discovery is what the cluster serves, for the operation that is under way.
	discovery *discovery
	// deadline is that of the operation; nil before and without.
	deadline *deadline
}

// Outcome is what an operation came to. Fields are filled as far as it came.
type Outcome struct {
	// Operation is what was done: an install where an upgrade found no release.
	Operation plan.Operation
	// Release is the record as written last, or as it would be in a dry run.
	Release *release.Release
	// Plan is the one that was run; nil when none was.
	Plan *plan.Plan
	// Result is what the engine says of the plan; nil when none was run.
	Result *engine.Result
	// RolledBack is the outcome of the automatic rollback, or, for a first
	// install, of the uninstall.
	RolledBack *Outcome
	// NoOp tells that there was nothing to do, and nothing was done.
	NoOp bool
	// DryRun tells that nothing was run; Plan and Documents show what would be.
	DryRun *DryRun
}

// lastWriteLimit bounds the record writes after an operation was stopped.
const lastWriteLimit = 30 * time.Second

// lastWrite is the context for the record of how an operation ended: it
// outlives an interruption, for a bounded time.
func lastWrite(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lastWriteLimit)
}

// gathering runs the part of an operation that changes nothing. It ends as soon
// as the user wants to stop, with engine.ErrInterrupted; every other error is
// a *Refused.
func (s *Service) gathering(ctx context.Context, gather func(context.Context) error) error {
	ctx, cancel := endOn(ctx, s.Signals.Stop, engine.ErrInterrupted)
	defer cancel()
	err := gather(ctx)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return &Refused{Err: err}
	}
	return nil
}

// untilAbort ends the context when the user insists on leaving.
func (s *Service) untilAbort(ctx context.Context) (context.Context, context.CancelFunc) {
	return endOn(ctx, s.Signals.Abort, context.Canceled)
}

// endOn ends the context, for that cause, when the channel is closed. Nothing
// of it is at work any more when cancel returns.
func endOn(ctx context.Context, signal <-chan struct{}, cause error) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-signal:
			end(cause)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		end(nil)
		<-done
	}
}

func (s *Service) warn(problems ...diag.Problem) {
	for _, p := range problems {
		s.Sink(event.Notice{Problem: p})
	}
}

// newEngine prepares an engine that lets no value of the release's own Secrets
// through: neither of those that the operation works on nor of the live ones.
func (s *Service) newEngine(in plan.Inputs) *engine.Engine {
	e := engine.New(s.Cluster, s.Records, s.Now, s.Sink, s.Engine)
	var objects []*unstructured.Unstructured
	for _, p := range append(in.Wanted[:len(in.Wanted):len(in.Wanted)], in.Recorded...) {
		objects = append(objects, p.Object)
	}
	for _, h := range in.Hooks {
		objects = append(objects, h.Object)
	}
	for _, live := range in.Live {
		objects = append(objects, live)
	}
	e.Conceal(append(objects, in.Conceal...)...)
	return e
}
