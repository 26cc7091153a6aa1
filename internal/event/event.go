// Package event names what can happen while a plan runs, so that the engine
// and the views agree without knowing each other. Events are facts: small
// values that are not changed after they were sent.
package event

import (
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// Event is one of the types of this package, and no other.
type Event interface{ event() }

// Sink takes events, in order, possibly from several goroutines. It must not
// block for longer than it takes to copy the event.
type Sink func(Event)

// PlanStarted is sent once before the first step of a plan.
type PlanStarted struct {
	Plan *plan.Plan
	Time time.Time
}

// StepStarted is sent when a step begins.
type StepStarted struct {
	Step plan.Step
	Time time.Time
}

// ObjectObserved tells the state of one object that a step waits for, each
// time it has changed. For a hook, Object is its Job or Pod.
type ObjectObserved struct {
	StepID string
	Object object.Ref
	Status health.Status
	Time   time.Time
}

// LogLine is one line that a hook's or test's container wrote.
type LogLine struct {
	StepID    string
	Hook      string
	Test      bool
	Pod       string
	Container string
	Line      ledger.Line
	// Plain is the line's text with the values of Secrets in it. It is set only
	// where the user asked to see them (--unmask), and for the terminal alone.
	Plain string
}

// Shown is the text for the terminal of the user who is at it; whatever is
// kept or sent takes Line.
func (l LogLine) Shown() string {
	if l.Plain != "" {
		return l.Plain
	}
	return l.Line.Text
}

// RunFinished tells how one attempt of a hook or test ended. It comes before
// the StepFinished of its step.
type RunFinished struct {
	StepID string
	Run    ledger.Run
	// Causes explain a failed run, root causes at the leaves.
	Causes []health.Cause
	// Final is false when another attempt follows.
	Final bool
}

// Outcome is how a step ended.
type Outcome string

// The outcomes of a step.
const (
	Done Outcome = "done"
	// Unchanged: there was nothing to do.
	Unchanged Outcome = "unchanged"
	Failed    Outcome = "failed"
	// Skipped: not run because of an earlier failure or an interruption.
	Skipped Outcome = "skipped"
)

// StepFinished is sent when a step has ended, and for each skipped step.
type StepFinished struct {
	Step    plan.Step
	Outcome Outcome
	// Err is set for Failed.
	Err error
	// Note says more in a few words, such as "created" or "kept: helm.sh/resource-policy".
	Note string
	// Causes explain a Failed wait or hook, root causes at the leaves.
	Causes []health.Cause
	Took   time.Duration
	Time   time.Time
}

// Notice is a message for the user that is not the state of a step.
type Notice struct {
	Problem diag.Problem
}

// PlanFinished is sent once after the last step of a plan.
type PlanFinished struct {
	Plan   *plan.Plan
	Failed bool
	Took   time.Duration
	Time   time.Time
}

func (PlanStarted) event()    {}
func (StepStarted) event()    {}
func (ObjectObserved) event() {}
func (LogLine) event()        {}
func (RunFinished) event()    {}
func (StepFinished) event()   {}
func (Notice) event()         {}
func (PlanFinished) event()   {}
