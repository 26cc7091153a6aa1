package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// Cluster is all that the engine asks of a cluster.
type Cluster interface {
	Applier
	Watcher
	LogStreamer
	EventReader
}

// Options tune an engine; start from DefaultOptions.
type Options struct {
	// Parallel is how many objects of one stage are worked on at once.
	Parallel int
	// LogLimits bound what is kept of each container's log.
	LogLimits ledger.Limits
	// StopGrace is how long the engine waits, after an interruption or a
	// timeout, for a hook that it stops to end, and for clean-up.
	StopGrace time.Duration
	// DrainGrace is how long it waits for the last log lines of a hook that
	// has ended.
	DrainGrace time.Duration
	// Impatience is how long a wait or a hook may be without progress for a
	// reason that seldom heals (an image that cannot be pulled, a crash loop
	// of ImpatientRestarts) before it is given up; 0 waits for the timeout.
	Impatience        time.Duration
	ImpatientRestarts int
	// FailFast says which troubles end a wait or a hook before its timeout;
	// empty is FailFastAuto.
	FailFast FailFast
	// Settle is how long a container without a readiness probe must run
	// without a restart before a wait takes it for ready.
	Settle time.Duration
	// LeaveRunning leaves a hook at work when the user interrupts, instead of
	// stopping it.
	LeaveRunning bool
	// Journal is told how far a run has come; nil for nobody.
	Journal Journal
	// Checkpoint, for tests of crashes, is called at the start and at the end
	// of every step, possibly from several goroutines.
	Checkpoint func(s plan.Step, ended bool)
	// Ledger keeps the runs of hooks and tests; nil keeps nothing.
	Ledger Ledger
	// Aside, where it is set, has the course of a plan that succeeded, and of which
	// no run is left to be kept, written beside what comes after the plan. Who sets
	// it waits for it in the end.
	Aside *sync.WaitGroup
	// By is who runs the operation, for the ledger.
	By string
	// Unmask lets secret values through in the log lines that are sent as
	// events. The ledger is masked in any case.
	Unmask bool
}

// DefaultOptions are those of the command line.
func DefaultOptions() Options {
	return Options{
		Parallel: 10, LogLimits: ledger.DefaultLimits(), StopGrace: 40 * time.Second, DrainGrace: 3 * time.Second,
		Impatience: time.Minute, ImpatientRestarts: 4, Settle: 2 * time.Second,
	}
}

// Engine runs the plans of one operation. Several plans may be run one after
// another (an upgrade, then the rollback after it): what hooks did is kept
// from one to the next and goes into every record that is written.
type Engine struct {
	cluster Cluster
	records Recorder
	now     func() time.Time
	sink    event.Sink
	opts    Options

	mu      sync.Mutex
	ran     map[*release.Hook]release.Execution
	uids    map[*release.Hook]string
	written map[int]*release.Release

	masker    masker
	scribe    *scribe
	chronicle *chronicle
	noticed   bool
}

// Written is the record of that revision as the engine stored it last, nil if
// it stored none.
func (e *Engine) Written(revision int) *release.Release {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.written[revision]
}

// New prepares an engine. The sink gets every event.
func New(cluster Cluster, records Recorder, now func() time.Time, sink event.Sink, opts Options) *Engine {
	e := &Engine{
		cluster: cluster, records: records, now: now, sink: sink, opts: opts,
		ran: map[*release.Hook]release.Execution{}, uids: map[*release.Hook]string{}, written: map[int]*release.Release{},
	}
	if opts.Ledger != nil {
		e.scribe, e.chronicle = &scribe{engine: e}, &chronicle{engine: e}
		e.sink = e.chronicle.hear(sink)
	}
	return e
}

// Failure is a step that failed, and why.
type Failure struct {
	Step   plan.Step
	Err    error
	Causes []health.Cause
}

// Error is one sentence that names the step.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Result is what a run of a plan came to.
type Result struct {
	// Failures are the steps that failed, in the order of the plan; empty for
	// a run that succeeded or was interrupted between two steps.
	Failures []*Failure
	// Interrupted tells that the run was stopped from outside.
	Interrupted bool
	// Runs are all attempts of hooks and tests, in the order of their end.
	Runs []ledger.Run
	// Reached is the block of the step that started last.
	Reached string
	// Gathered tells that nothing is left of what the plan was to gather of dead
	// runs: what their hooks did is in the ledger, or was told not to be.
	Gathered bool
	// Created are the objects that did not exist before, in order.
	Created []object.Ref
}

// OK tells that every step was done.
func (r *Result) OK() bool { return len(r.Failures) == 0 && !r.Interrupted }

// Run walks the plan. It returns when every step has ended and nothing that
// it started is still at work but what Options.Aside tells of. A step that fails ends the plan, except for
// the steps of its block that say Always. When interrupt is closed, the running
// step is stopped and no other starts, but what has run is cleaned up after;
// nil means never. Ending ctx ends everything at once.
func (e *Engine) Run(ctx context.Context, p *plan.Plan, interrupt <-chan struct{}) *Result {
	start := e.now()
	e.sink(event.PlanStarted{Plan: p, Time: start})
	w := &walk{engine: e, plan: p, ahead: ahead{engine: e}, result: &Result{Gathered: !slices.ContainsFunc(p.Steps, plan.Step.Gathers)}, operation: ledger.Operation{
		ID: rand.Text(), Name: string(p.Operation), Started: start, By: e.opts.By,
	}}
	w.run(ctx, interrupt)
	w.conclude(ctx)
	e.sink(event.PlanFinished{Plan: p, Failed: !w.result.OK(), Took: e.now().Sub(start), Time: e.now()})
	return w.result
}

// walk is one run of one plan.
type walk struct {
	engine *Engine
	plan   *plan.Plan
	// operation is what the ledger says that the runs belong to.
	operation ledger.Operation
	// failedBlock is the block in which a step failed first.
	failedBlock string
	// cutShort tells that a step was not run, or not to its end, because of an
	// interruption: one that comes after the last step changes nothing.
	cutShort bool

	// ahead are watches for the hooks that come next.
	ahead ahead

	mu     sync.Mutex
	result *Result
}

func (w *walk) run(ctx context.Context, interrupt <-chan struct{}) {
	soft, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-interrupt:
			stop()
		case <-soft.Done():
		}
	}()
	steps := w.plan.Steps
	defer w.ahead.close()
	for i := 0; i < len(steps); {
		end := i
		for end < len(steps) && steps[end].Stage == steps[i].Stage {
			end++
		}
		w.ahead.plan(steps[i], steps[end:])
		w.stage(ctx, soft, steps[i:end])
		if end == len(steps) || !sameHooks(steps[end-1], steps[end]) {
			w.engine.scribe.write(ctx)
		}
		i = end
	}
	w.result.Interrupted = w.cutShort
}

// sameHooks tells that the hooks of one event go on from one step to the next.
func sameHooks(a, b plan.Step) bool {
	_, hook := b.Action.(plan.RunHook)
	return hook && a.Block == b.Block
}

// stage runs the steps of one stage side by side and waits for all of them.
func (w *walk) stage(ctx, soft context.Context, steps []plan.Step) {
	failedBefore, failedBlock := w.failed(), w.failedBlock
	limit := make(chan struct{}, w.limit(steps))
	outcomes := make([]outcome, len(steps))
	var group sync.WaitGroup
	var failedHere atomic.Bool
	for i, s := range steps {
		// What happens while the step waits for its turn may change whether it runs.
		limit <- struct{}{}
		if !mayRun(s, failedBefore, failedBlock, soft.Err() != nil) || failedHere.Load() && failsFast(s) {
			<-limit
			outcomes[i] = outcome{Outcome: event.Skipped}
			w.cutShort = w.cutShort || soft.Err() != nil
			w.engine.sink(event.StepFinished{Step: s, Outcome: event.Skipped, Time: w.engine.now()})
			continue
		}
		w.result.Reached = s.Block
		group.Go(func() {
			defer func() { <-limit }()
			outcomes[i] = w.step(ctx, soft, s)
			if outcomes[i].Outcome == event.Failed {
				failedHere.Store(true)
			}
		})
	}
	group.Wait()
	w.collect(steps, outcomes)
	w.cutShort = w.cutShort || soft.Err() != nil && !failedBefore && w.failed()
}

// failsFast tells a hook that is not to start once one beside it has failed.
func failsFast(s plan.Step) bool {
	_, hook := s.Action.(plan.RunHook)
	return hook && !s.Always
}

// mayRun decides whether a step starts. Clean-up of hooks that have run is
// never kept back, nor is a record that is to be written always; clean-up does
// nothing for hooks that have not run.
func mayRun(s plan.Step, failed bool, failedBlock string, stopped bool) bool {
	if _, clean := s.Action.(plan.CleanHook); clean && (failed || stopped) {
		return !failed || s.Block == failedBlock
	}
	if _, record := s.Action.(plan.WriteRecord); stopped && !(record && s.Always) {
		return false
	}
	return !failed || s.Always && s.Block == failedBlock
}

func (w *walk) limit(steps []plan.Step) int {
	if hook, ok := steps[0].Action.(plan.RunHook); ok {
		if hook.Limit > 0 {
			return hook.Limit
		}
		return len(steps)
	}
	return max(1, w.engine.opts.Parallel)
}

func (w *walk) failed() bool { return len(w.result.Failures) > 0 }

// outcome is how one step ended.
type outcome struct {
	event.Outcome
	note    string
	err     error
	causes  []health.Cause
	created *object.Ref
}

func (w *walk) collect(steps []plan.Step, outcomes []outcome) {
	for i, o := range outcomes {
		if o.created != nil {
			w.result.Created = append(w.result.Created, *o.created)
		}
		w.result.Gathered = w.result.Gathered || steps[i].Gathers() && (o.Outcome == event.Done || o.Outcome == event.Unchanged)
		if o.Outcome != event.Failed {
			continue
		}
		if !w.failed() {
			w.failedBlock = steps[i].Block
		}
		w.result.Failures = append(w.result.Failures, &Failure{Step: steps[i], Err: o.err, Causes: o.causes})
	}
}

// step runs one step and tells of it.
func (w *walk) step(ctx, soft context.Context, s plan.Step) outcome {
	start := w.engine.now()
	w.engine.sink(event.StepStarted{Step: s, Time: start})
	w.begin(s)
	w.checkpoint(s, false)
	o := w.do(ctx, soft, s)
	w.noteHook(s, o)
	w.checkpoint(s, true)
	if o.Outcome == "" {
		o.Outcome = event.Done
	}
	if o.err != nil {
		o.Outcome = event.Failed
		o.err, o.causes = w.engine.maskError(o.err), w.engine.maskCauses(o.causes)
	}
	end := w.engine.now()
	w.engine.sink(event.StepFinished{
		Step: s, Outcome: o.Outcome, Err: o.err, Note: o.note, Causes: o.causes, Took: end.Sub(start), Time: end,
	})
	return o
}

func (w *walk) checkpoint(s plan.Step, ended bool) {
	if w.engine.opts.Checkpoint != nil {
		w.engine.opts.Checkpoint(s, ended)
	}
}

// recordLimit bounds the writing of an outcome.
const recordLimit = 30 * time.Second

// do picks the work for the action. Clean-up and records go on when the user
// interrupts; everything else stops.
func (w *walk) do(ctx, soft context.Context, s plan.Step) outcome {
	switch a := s.Action.(type) {
	case plan.WriteRecord:
		if s.Always { // the outcome is recorded whatever it is, also by a user who leaves at once
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
			defer cancel()
		}
		return outcome{err: w.engine.writeRecord(ctx, a)}
	case plan.DeleteRecord:
		return w.engine.deleteRecord(ctx, a)
	case plan.CreateNamespace:
		return w.engine.createNamespace(soft, a)
	case plan.Apply:
		return w.engine.apply(soft, a)
	case plan.Delete:
		return w.engine.delete(soft, a)
	case plan.Keep:
		return outcome{Outcome: event.Unchanged, note: "kept: " + a.Why}
	case plan.Await:
		if a.Goal == plan.UntilEnded {
			return w.orphans(ctx, soft, s.ID, a)
		}
		return w.engine.await(soft, s.ID, a)
	case plan.RunHook:
		return w.runHook(ctx, soft, s, a)
	case plan.SkipHook:
		return w.skipHook(s, a)
	case plan.CleanHook:
		return w.engine.cleanHook(ctx, a)
	default:
		return outcome{err: fmt.Errorf("the engine does not know the action %T", a)}
	}
}
