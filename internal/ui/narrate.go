package ui

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// Options of the views of a run.
type Options struct {
	Logs LogMode
	// EachObject gives every created, changed or deleted object a line of its
	// own; without it many of one kind are folded into one line.
	EachObject bool
}

// DefaultOptions are those of the command line.
func DefaultOptions() Options { return Options{Logs: LogsAuto} }

// narrator turns events into the lines that stay: it is the plain view, and
// what scrolls above the live part of the terminal view. It has no lock and
// does no I/O.
type narrator struct {
	opts Options
	// live tells that something else shows what is under way, so that only
	// what has ended becomes a line.
	live bool

	plan  *plan.Plan
	steps map[string]plan.Step
	// subjects is the width of the column of objects.
	subjects int
	block    *block
	skipped  skips
	// seen is the last text shown for an object of a step.
	seen map[seenKey]string
	// bookkeeping tells that the plan only writes records: what a failed or
	// interrupted operation leaves behind. Only its failures are shown.
	bookkeeping bool
	// attempts counts the runs of hooks that have ended.
	attempts map[string]int
	awaited  map[string]time.Time
	tests    testNews
	pods     podNames
}

type seenKey struct {
	step   string
	object object.Key
}

func newNarrator(opts Options, live bool) *narrator {
	return &narrator{opts: opts, live: live, seen: map[seenKey]string{}, attempts: map[string]int{}, pods: podNames{}, awaited: map[string]time.Time{}}
}

// tell gives the lines that an event brings.
func (n *narrator) tell(e event.Event) []line {
	switch e := e.(type) {
	case event.PlanStarted:
		return n.begin(e)
	case event.StepStarted:
		return n.started(e)
	case event.ObjectObserved:
		return n.observed(e)
	case event.LogLine:
		return n.log(e)
	case event.RunFinished:
		return n.ran(e)
	case event.StepFinished:
		return n.finished(e)
	case event.Notice:
		return problemLines(diag.List{e.Problem})
	case event.PlanFinished:
		return n.end(e)
	}
	return nil
}

func (n *narrator) begin(e event.PlanStarted) []line {
	n.plan, n.skipped, n.block, n.tests = e.Plan, skips{}, nil, testNews{}
	n.bookkeeping = onlyRecords(e.Plan)
	if n.bookkeeping {
		return nil
	}
	n.subjects = 0
	n.steps = make(map[string]plan.Step, len(e.Plan.Steps))
	for _, s := range e.Plan.Steps {
		n.steps[s.ID] = s
		for _, ref := range longSubjects(s) {
			n.subjects = max(n.subjects, min(len(n.name(ref)), subjectLimit))
		}
	}
	text := fmt.Sprintf("revision %d, namespace %s", e.Plan.Revision, e.Plan.Namespace)
	n.subjects = max(n.subjects, min(len(e.Plan.Release), subjectLimit))
	return []line{{phase: string(e.Plan.Operation), subject: e.Plan.Release, text: text}}
}

func onlyRecords(p *plan.Plan) bool {
	for _, s := range p.Steps {
		switch s.Action.(type) {
		case plan.WriteRecord, plan.DeleteRecord:
		default:
			return false
		}
	}
	return len(p.Steps) > 0
}

// longSubjects are the objects of a step that will get a line of their own.
func longSubjects(s plan.Step) []object.Ref {
	switch a := s.Action.(type) {
	case plan.RunHook:
		return []object.Ref{object.RefOf(a.Object)}
	case plan.Await:
		var out []object.Ref
		for _, ref := range a.Subjects() {
			if health.NeedsWatch(ref.Group, ref.Kind) {
				out = append(out, ref)
			}
		}
		return out
	case plan.Apply:
		if a.Change != plan.Unchanged {
			return []object.Ref{object.RefOf(a.Object)}
		}
	case plan.Delete:
		return []object.Ref{a.Ref}
	case plan.Keep:
		return []object.Ref{a.Ref}
	case plan.SkipHook:
		return []object.Ref{a.Ref}
	}
	return nil
}

// name spells an object: without its namespace where that is the plan's.
func (n *narrator) name(ref object.Ref) string {
	if n.plan != nil && ref.Namespace == n.plan.Namespace {
		return ref.Short()
	}
	return ref.String()
}

func (n *narrator) started(e event.StepStarted) []line {
	lines := n.turn(e.Step, e.Time)
	switch a := e.Step.Action.(type) {
	case plan.RunHook:
		ref := object.RefOf(a.Object)
		if runs(ref) && !n.live {
			lines = append(lines, line{phase: phase(e.Step), subject: n.name(ref), text: "started"})
		}
	case plan.Await:
		n.awaited[e.Step.ID] = e.Time
	}
	return lines
}

// runs tells objects that have an end of their own.
func runs(ref object.Ref) bool { return ref.Is("batch", "Job") || ref.Is("", "Pod") }

// phase is the word of the first column.
func phase(s plan.Step) string {
	switch a := s.Action.(type) {
	case plan.RunHook:
		return string(a.Event)
	case plan.CleanHook:
		return string(a.Event)
	case plan.CreateNamespace:
		return "namespace"
	}
	return s.Block
}

// observed shows a changed cause. For what has an end of its own only trouble
// is news; a wait tells how far each object has come. What has failed is told
// with its causes when the step ends, which follows at once.
func (n *narrator) observed(e event.ObjectObserved) []line {
	step, ok := n.step(e.StepID)
	if !ok || n.live || e.Status.State == health.Failed || e.Status.Reason == health.Unobserved {
		return nil
	}
	key := seenKey{e.StepID, e.Object.Key()}
	last, before := n.seen[key]
	l := line{phase: phase(step), subject: n.name(e.Object), text: observation(e.Status), look: stateLook(e.Status)}
	if _, hook := step.Action.(plan.RunHook); hook && !e.Status.Trouble() || l.text == last {
		return nil
	}
	if e.Status.State == health.Ready {
		if await, ok := step.Action.(plan.Await); ok && (await.Goal == plan.UntilEnded || len(await.Objects) == 1) {
			return nil // the end of the step, which follows at once, says it, and in the right word
		}
		if !before {
			return nil // ready when first looked at: counted at the end
		}
		l.took, l.timed = e.Time.Sub(n.awaited[e.StepID]), true
	}
	n.seen[key] = l.text
	return []line{l}
}

func observation(s health.Status) string {
	switch {
	case s.State == health.Ready:
		return "ready"
	case s.Message != "":
		return clean(s.Message)
	case s.Reason != "":
		return s.Reason
	default:
		return s.State.String()
	}
}

func stateLook(s health.Status) lipgloss.Style {
	switch {
	case s.State == health.Ready:
		return good
	case s.State == health.Failed:
		return bad
	case s.Trouble():
		return warn
	default:
		return faint
	}
}

func (n *narrator) step(id string) (plan.Step, bool) {
	s, ok := n.steps[id]
	return s, ok
}

// ran shows an attempt that will be followed by another, and the kept log of
// what failed where that was asked for. How the last attempt ended is the
// story of its step.
func (n *narrator) ran(e event.RunFinished) []line {
	n.attempts[e.StepID] = e.Run.Attempt
	n.pods.forget(e.StepID)
	n.tests.note(e)
	var lines []line
	if !e.Final {
		step, _ := n.step(e.StepID)
		lines = append(lines, line{
			phase: phase(step), subject: n.name(e.Run.Object), text: fmt.Sprintf("attempt %d failed, trying again", e.Run.Attempt),
			took: e.Run.Duration(), timed: true, look: warn,
		})
		lines = append(lines, n.causes(e.Causes, n.lastLogs())...)
	}
	if n.opts.Logs == LogsFailed && e.Run.Phase == release.PhaseFailed {
		lines = append(lines, keptLog(e)...)
	}
	return lines
}

// lastLogs tells that the last log lines of what failed are wanted.
func (n *narrator) lastLogs() bool { return n.opts.Logs == LogsAuto || n.opts.Logs == "" }

// causes are the trees under a failure.
func (n *narrator) causes(causes []health.Cause, withLogs bool) []line {
	var lines []line
	for _, text := range causeLines(causes, "    ", withLogs) {
		lines = append(lines, line{raw: text})
	}
	return lines
}

// failure is the line of a step that failed, with its causes, or its error
// where there are none. The logs of a test wait for the end of all.
func (n *narrator) failure(e event.StepFinished, l line) []line {
	l.took, l.timed, l.look = e.Took, true, bad
	lines := append([]line{l}, n.causes(e.Causes, n.lastLogs() && !isTest(e.Step))...)
	if len(e.Causes) == 0 && e.Err != nil {
		for _, text := range strings.Split(e.Err.Error(), "\n") {
			lines = append(lines, line{raw: "    " + clean(text)})
		}
	}
	return lines
}

func (n *narrator) end(e event.PlanFinished) []line {
	if n.bookkeeping {
		return nil
	}
	lines := n.closeBlock()
	lines = append(lines, n.skipped.lines()...)
	if n.lastLogs() {
		lines = append(lines, n.tests.logs()...)
	}
	lines = append(lines, n.tests.sum()...)
	l := line{phase: string(e.Plan.Operation), subject: e.Plan.Release, text: "done", took: e.Took, timed: true, look: good}
	if e.Failed {
		l.text, l.look = "failed", bad
	}
	return append(lines, l)
}
