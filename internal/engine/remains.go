package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// remains gathers what hooks of dead runs did, for the ledgers of their
// revisions. It looks on while orphans are seen to their end; what it cannot
// have or keep does not fail the operation.
type remains struct {
	engine *Engine
	list   []*remain
}

// remain is one hook's run whose own Pintle is gone.
type remain struct {
	*hookRun
	monitor *monitor
	// before is what the dead run has noted; nil for nothing.
	before *plan.HookBefore
	// verdict is what the object itself came to; nil while it has not.
	verdict *health.Status
	// gone tells that the object is not there any more, stopped that we have stopped it.
	gone, stopped bool
}

// newRemains prepares to look on. The logs are followed until close, or until
// store has read them.
func (w *walk) newRemains(ctx context.Context, list []plan.Remains) *remains {
	k := &remains{engine: w.engine}
	if w.engine.opts.Ledger == nil {
		return k
	}
	for _, r := range list {
		mark, ok := ledger.ReadMark(object.RunMark(r.Object))
		if !ok {
			continue
		}
		h := &hookRun{engine: w.engine, quiet: true, action: plan.RunHook{Event: mark.Event, Hook: r.Hook, Object: r.Object}, run: ledger.Run{
			Release: mark.Release, Namespace: w.plan.Namespace, Revision: r.Revision, Operation: mark.Operation,
			Event: mark.Event, Hook: r.Hook.Name, Weight: r.Hook.Weight, Suite: r.Hook.Options().Suite, Attempt: mark.Attempt,
			Object: object.RefOf(r.Object), UID: string(r.Object.GetUID()), Started: r.Object.GetCreationTimestamp().Time,
		}}
		if r.Before != nil && !r.Before.Started.IsZero() {
			h.run.Started = r.Before.Started
		}
		if h.run.Started.IsZero() { // nothing tells; it was not before that
			h.run.Started = mark.Started
		}
		h.secrets = w.engine.readSecrets(ctx, r.Object)
		k.list = append(k.list, &remain{hookRun: h, monitor: newMonitor(ctx, h), before: r.Before})
	}
	return k
}

func (k *remains) close() {
	for _, r := range k.list {
		r.monitor.close()
		r.monitor.followers.Wait()
		r.secrets.close()
	}
}

// note takes one observation in.
func (k *remains) note(o object.Observation) {
	for _, r := range k.list {
		about := o.Ref.Key() == r.run.Object.Key()
		switch {
		case about && (o.Gone || string(o.Object.GetUID()) != r.run.UID):
			r.gone = true
		case o.Gone && o.Object == nil:
			continue
		}
		if verdict, final := r.monitor.take(o); final && r.verdict == nil {
			r.verdict = &verdict
		}
	}
}

// keepSight notes how an object looks that is going to be stopped.
func (k *remains) keepSight(ref object.Ref) {
	for _, r := range k.atWork(ref) {
		r.monitor.keepSight()
	}
}

// stops notes that an object was stopped: what follows is our own doing.
func (k *remains) stops(ref object.Ref) {
	for _, r := range k.atWork(ref) {
		r.stopped = true
	}
}

// atWork are the remains of that object, unless it has come to an end.
func (k *remains) atWork(ref object.Ref) []*remain {
	var out []*remain
	for _, r := range k.list {
		if r.run.Object.Key() == ref.Key() && r.verdict == nil {
			out = append(out, r)
		}
	}
	return out
}

// store reads logs and events to their end and puts it all into the ledger. It
// returns a few words on that, nothing where nothing is to be kept.
func (k *remains) store(ctx context.Context) string {
	if len(k.list) == 0 {
		return ""
	}
	runs := make([]ledger.Run, len(k.list))
	var group sync.WaitGroup
	for i, r := range k.list {
		group.Go(func() { runs[i] = r.conclude(ctx) })
	}
	group.Wait()
	if err := k.engine.keepAll(ctx, runs); err != nil {
		k.engine.tellLedger(err, "the release is not affected; what hooks of an earlier run did is not kept for later")
		return "not kept in the ledger"
	}
	return "kept in the ledger"
}

// keepAll keeps the runs of each revision apart: the trouble of one is none of the
// others'. The error is the first one.
func (e *Engine) keepAll(ctx context.Context, runs []ledger.Run) error {
	slices.SortStableFunc(runs, func(a, b ledger.Run) int { return cmp.Compare(a.Revision, b.Revision) })
	var failed error
	for len(runs) > 0 {
		end := 1
		for end < len(runs) && runs[end].Revision == runs[0].Revision {
			end++
		}
		failed = cmp.Or(failed, e.keep(ctx, runs[:end]))
		runs = runs[end:]
	}
	return failed
}

// keep writes to the ledger at once, apart from what waits to be written: an
// old revision's trouble is none of the present one's.
func (e *Engine) keep(ctx context.Context, runs []ledger.Run) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerLimit)
	defer cancel()
	e.addEvents(ctx, runs)
	err := e.opts.Ledger.Append(ctx, runs)
	var failed *ledger.WriteError
	if err != nil && !(errors.As(err, &failed) && failed.Lasting) {
		err = e.opts.Ledger.Append(ctx, runs)
	}
	return err
}

// logGrace is how long the log of a pod that goes on running is read.
const logGrace = time.Second

// conclude fills in what the run came to, as far as that is known.
func (r *remain) conclude(ctx context.Context) ledger.Run {
	r.monitor.drainLogs(ctx, logGrace)
	verdict, left := r.came()
	r.judged(ctx, ctx, r.monitor, verdict, left)
	if !left {
		r.run.Ended = r.ended()
	}
	if r.run.Phase == release.PhaseSucceeded && len(r.run.Pods) == 0 {
		r.run.Message = "its run of pintle was killed, and what it said was deleted before it was kept"
	}
	return r.run
}

// interruptedReason is that of runs which did not come to an end of their own.
const interruptedReason = "Interrupted"

// came says honestly how the run ended: by the object's own word where it has
// one. Left tells that it has not ended.
func (r *remain) came() (verdict health.Status, left bool) {
	interrupted := func(what string) health.Status {
		return health.Status{State: health.Failed, Reason: interruptedReason, Message: "its run of pintle was killed; " + what}
	}
	obj := r.monitor.object
	switch {
	case r.verdict != nil && r.verdict.State == health.Ready:
		return *r.verdict, false
	case r.before != nil && r.before.Done:
		return health.Status{State: health.Ready}, false
	case r.stopped:
		return interrupted("a later one stopped it before it had finished"), false
	case r.verdict != nil && (Finished(obj) || r.verdict.Reason != "Deleted"):
		return *r.verdict, false
	case r.gone || r.verdict != nil:
		return interrupted("it was deleted before anybody saw its end"), false
	case obj == nil:
		return interrupted("it could not be looked at"), false
	case AtWork(obj):
		return interrupted("it was left running"), true
	default:
		return interrupted("it was stopped before it had finished"), false
	}
}

// ended is when the run ended: by what the object says, or its last container,
// and otherwise now.
func (r *remain) ended() time.Time {
	if r.before != nil && !r.before.Ended.IsZero() {
		return r.before.Ended
	}
	if obj := r.monitor.object; obj != nil && r.run.Object.Is("batch", "Job") {
		if at := jobEnded(obj); !at.IsZero() {
			return at
		}
	}
	var last time.Time
	for _, p := range r.run.Pods {
		for _, c := range p.Containers {
			if c.Ended.After(last) {
				last = c.Ended
			}
		}
	}
	if last.IsZero() {
		return r.engine.now()
	}
	return last
}

// jobEnded is when a Job has completed or failed; zero where it has not.
func jobEnded(job *unstructured.Unstructured) time.Time {
	conditions, _, _ := unstructured.NestedSlice(job.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		kind, status := condition["type"], condition["status"]
		if status == "True" && (kind == "Complete" || kind == "Failed") {
			text, _ := condition["lastTransitionTime"].(string)
			at, _ := time.Parse(time.RFC3339, text)
			return at
		}
	}
	return time.Time{}
}

// noticeRemains tells that what hooks of dead runs did cannot be read.
func (e *Engine) noticeRemains(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	e.sink(event.Notice{Problem: diag.Problem{
		Severity: diag.Warning, Summary: fmt.Sprintf("what hooks of an earlier run did could not be read: %v", err),
		Detail: "the release is not affected; what they did is not kept for later",
	}})
}
