package engine

import (
	"context"
	"sync"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// maxObserved bounds how many states of one step's objects are kept.
const maxObserved = 500

// chronicle listens to the engine's events and writes down how a plan goes,
// for the ledger.
type chronicle struct {
	engine *Engine

	mu     sync.Mutex
	course ledger.Course
	// at finds steps by their id, last the state seen last of a step's object.
	at   map[string]int
	last map[seen]ledger.Observation
}

type seen struct {
	step   string
	object object.Key
}

// hear passes events on, and takes from them what the ledger keeps.
func (c *chronicle) hear(sink event.Sink) event.Sink {
	return func(e event.Event) {
		c.note(e)
		sink(e)
	}
}

func (c *chronicle) note(e event.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := e.(type) {
	case event.PlanStarted:
		c.begin(e.Plan)
	case event.StepStarted:
		if s := c.step(e.Step.ID); s != nil {
			s.Started = e.Time
		}
	case event.ObjectObserved:
		c.observed(e)
	case event.StepFinished:
		c.finished(e)
	}
}

func (c *chronicle) begin(p *plan.Plan) {
	c.course = ledger.Course{Release: p.Release, Namespace: p.Namespace, Revision: p.Revision}
	c.at, c.last = map[string]int{}, map[seen]ledger.Observation{}
	for i, s := range p.Steps {
		c.at[s.ID] = i
		c.course.Steps = append(c.course.Steps, ledger.Step{
			ID: s.ID, Block: s.Block, Words: stepWords(s.Action), Why: s.Reason, Objects: objectsOf(s.Action), Outcome: ledger.OutcomeSkipped,
		})
	}
}

func stepWords(a plan.Action) string {
	if w, ok := a.(plan.Await); ok {
		return w.Verb() // the objects are told apart from the words
	}
	return plan.Words(a)
}

// objectsOf are the objects that a step works on.
func objectsOf(a plan.Action) []object.Ref {
	switch a := a.(type) {
	case plan.Apply:
		return []object.Ref{object.RefOf(a.Object)}
	case plan.Delete:
		return []object.Ref{a.Ref}
	case plan.Keep:
		return []object.Ref{a.Ref}
	case plan.Await:
		return a.Subjects()
	case plan.RunHook:
		return []object.Ref{object.RefOf(a.Object)}
	case plan.SkipHook:
		return []object.Ref{a.Ref}
	case plan.CleanHook:
		return []object.Ref{a.Ref}
	}
	return nil
}

func (c *chronicle) step(id string) *ledger.Step {
	if i, ok := c.at[id]; ok {
		return &c.course.Steps[i]
	}
	return nil
}

func (c *chronicle) observed(e event.ObjectObserved) {
	s := c.step(e.StepID)
	if s == nil || len(s.Observed) >= maxObserved {
		return
	}
	key := seen{e.StepID, e.Object.Key()}
	o := ledger.Observation{
		Object: e.Object, State: e.Status.State.String(), Reason: e.Status.Reason, Message: c.engine.masker.get().Text(e.Status.Message),
	}
	if before, ok := c.last[key]; ok && before == o {
		return
	}
	c.last[key] = o
	o.Time = e.Time
	s.Observed = append(s.Observed, o)
}

func (c *chronicle) finished(e event.StepFinished) {
	s := c.step(e.Step.ID)
	if s == nil {
		return
	}
	s.Outcome, s.Note, s.Causes = ledger.Outcome(e.Outcome), e.Note, ledgerCauses(e.Causes)
	if e.Outcome != event.Skipped {
		s.Ended = e.Time
	}
	if e.Err != nil {
		s.Error = e.Err.Error()
	}
}

func ledgerCauses(causes []health.Cause) []ledger.Cause {
	var out []ledger.Cause
	for _, c := range causes {
		out = append(out, ledger.Cause{
			Subject: c.Subject, Reason: c.Reason, Message: c.Message, Lines: c.Lines, Advice: c.Advice, Children: ledgerCauses(c.Children),
		})
	}
	return out
}

// conclude stores how the plan went, with the last of its runs. A plan that
// only writes records is no story, and one whose record does not exist has no
// place to be told.
func (w *walk) conclude(ctx context.Context) {
	e := w.engine
	if e.scribe == nil {
		return
	}
	if !w.worthTelling() {
		e.scribe.finish(ctx)
		return
	}
	e.chronicle.mu.Lock()
	course := e.chronicle.course
	e.chronicle.mu.Unlock()
	course.Operation, course.Ended, course.Outcome = w.operation, e.now(), ledger.OutcomeDone
	switch {
	case w.result.Interrupted:
		course.Outcome = ledger.OutcomeInterrupted
	case w.failed():
		course.Outcome = ledger.OutcomeFailed
	}
	runs := e.scribe.rest(ctx)
	// The record of an uninstall is gone: later, its ledger may meet a new release of the name.
	gone := w.plan.Operation == plan.Uninstall
	if e.opts.Aside == nil || !w.result.OK() || len(runs) > 0 || gone {
		e.scribe.conclude(ctx, course, runs)
		return
	}
	e.opts.Aside.Go(func() { e.scribe.conclude(ctx, course, nil) })
}

func (w *walk) worthTelling() bool {
	if w.plan.Operation != plan.Test && w.plan.Operation != plan.Uninstall && w.engine.Written(w.plan.Revision) == nil {
		return false
	}
	for _, s := range w.plan.Steps {
		switch s.Action.(type) {
		case plan.WriteRecord, plan.DeleteRecord:
		default:
			return true
		}
	}
	return false
}

// rest waits until nothing is being written, and takes the runs that are left.
func (s *scribe) rest(ctx context.Context) []ledger.Run {
	s.begun.Wait()
	s.settled(context.WithoutCancel(ctx))
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := s.waiting
	s.waiting = nil
	return runs
}

// conclude writes the last runs together with how the operation went, and
// returns when that has ended. What cannot be written is told and dropped.
func (s *scribe) conclude(ctx context.Context, course ledger.Course, runs []ledger.Run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerLimit)
	defer cancel()
	s.engine.addEvents(ctx, runs)
	var err error
	for range 2 {
		if err = s.engine.opts.Ledger.Conclude(ctx, course, runs); err == nil {
			return
		}
	}
	if len(runs) > 0 { // without runs, only the timeline of a report is lost
		s.engine.noticeLedger(err)
	}
}
