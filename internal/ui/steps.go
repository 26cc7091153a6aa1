package ui

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// finished gives the lines of a step that has ended.
func (n *narrator) finished(e event.StepFinished) []line {
	if e.Outcome == event.Skipped {
		n.skipped.add(e.Step)
		return nil
	}
	switch a := e.Step.Action.(type) {
	case plan.RunHook:
		return n.hookFinished(e, object.RefOf(a.Object))
	case plan.CleanHook:
		return n.cleaned(e, a)
	case plan.Await:
		return n.waited(e, a)
	case plan.CreateNamespace:
		return n.plainly(e, "Namespace/"+a.Name)
	case plan.WriteRecord:
		return n.recorded(e, fmt.Sprintf("revision %d as %s", a.Release.Revision, a.Status))
	case plan.DeleteRecord:
		return n.recorded(e, fmt.Sprintf("revision %d removed", a.Release.Revision))
	case plan.Apply:
		return n.worked(e, object.RefOf(a.Object))
	case plan.Delete:
		return n.worked(e, a.Ref)
	case plan.Keep:
		return n.plainly(e, n.name(a.Ref))
	case plan.SkipHook:
		return n.plainly(e, n.name(a.Ref))
	}
	return nil
}

func (n *narrator) hookFinished(e event.StepFinished, ref object.Ref) []line {
	l := line{phase: phase(e.Step), subject: n.name(ref), took: e.Took, timed: true, look: good}
	attempts := n.attempts[e.Step.ID]
	switch {
	case e.Outcome == event.Failed:
		l.text = "failed"
		if attempts > 1 {
			l.text = fmt.Sprintf("failed, %d attempts", attempts)
		}
		return n.failure(e, l)
	case !runs(ref):
		l.text, l.timed = "applied", false
		if e.Note != "" {
			l.text = e.Note
		}
	case attempts > 1:
		l.text, l.look = fmt.Sprintf("succeeded on attempt %d", attempts), warn
		if isTest(e.Step) {
			l.text = "flaky: " + l.text
		}
	default:
		l.text = "succeeded"
	}
	return []line{l}
}

// cleaned tells of a hook's object that was deleted; one that was left alone
// is no news.
func (n *narrator) cleaned(e event.StepFinished, a plan.CleanHook) []line {
	if e.Outcome == event.Unchanged {
		return nil
	}
	return n.plainly(e, n.name(a.Ref))
}

// recorded is silent unless the record could not be written.
func (n *narrator) recorded(e event.StepFinished, what string) []line {
	if e.Outcome != event.Failed {
		return nil
	}
	return n.failure(e, line{phase: "record", subject: what, text: "not written"})
}

// plainly is a step's own line with its note.
func (n *narrator) plainly(e event.StepFinished, subject string) []line {
	l := line{phase: phase(e.Step), subject: subject, text: e.Note}
	if e.Outcome == event.Failed {
		l.text = "failed"
		return n.failure(e, l)
	}
	if l.text == "" {
		l.text = string(e.Outcome)
	}
	return []line{l}
}

func (n *narrator) waited(e event.StepFinished, a plan.Await) []line {
	subjects := a.Subjects()
	l := line{phase: phase(e.Step), subject: objects(len(subjects)), text: string(a.Goal), took: e.Took, timed: true, look: good}
	if len(subjects) == 1 {
		l.subject = n.name(subjects[0])
	}
	if len(a.Objects) == 0 && len(a.Remains) > 0 {
		l.text = "of an earlier run"
	}
	if e.Note != "" {
		l.text += ", " + e.Note
	}
	if e.Outcome == event.Failed {
		l.text = "not " + string(a.Goal)
		return n.failure(e, l)
	}
	return []line{l}
}

func objects(n int) string {
	if n == 1 {
		return "1 object"
	}
	return fmt.Sprintf("%d objects", n)
}

// block is a part of the plan that works on many objects: apply, prune and
// the like. It gathers what was done until the stage or the block ends.
type block struct {
	name    string
	stage   int
	started time.Time
	ended   time.Time
	total   int
	// counts are by what was done, in the order of appearance.
	words  []string
	counts map[string]int
	// waiting are objects of the present stage that have no line yet.
	waiting []done
}

type done struct {
	ref  object.Ref
	what string
}

// foldAbove is how many objects of one kind that met the same fate are shown
// one by one.
const foldAbove = 3

// worked takes in what was done to one object.
func (n *narrator) worked(e event.StepFinished, ref object.Ref) []line {
	lines := n.turn(e.Step, e.Time.Add(-e.Took))
	b := n.block
	b.ended = e.Time
	b.total++
	what := e.Note
	if what == "" {
		what = string(e.Outcome)
	}
	if e.Outcome == event.Failed {
		what = "failed"
	}
	if b.counts[what] == 0 {
		b.words = append(b.words, what)
	}
	b.counts[what]++
	switch e.Outcome {
	case event.Failed:
		return append(lines, n.failure(e, line{phase: phase(e.Step), subject: n.name(ref), text: "failed"})...)
	case event.Unchanged:
		return lines
	}
	b.waiting = append(b.waiting, done{ref, what})
	return lines
}

// turn ends the block or stage before, if the step belongs to another.
func (n *narrator) turn(s plan.Step, at time.Time) []line {
	var lines []line
	if n.block != nil && n.block.name != s.Block {
		lines = n.closeBlock()
	}
	if n.block != nil && n.block.stage != s.Stage {
		lines = append(lines, n.fold()...)
		n.block.stage = s.Stage
	}
	switch s.Action.(type) {
	case plan.Apply, plan.Delete:
		if n.block == nil {
			n.block = &block{name: s.Block, stage: s.Stage, started: at, counts: map[string]int{}}
		}
	}
	return lines
}

// fold shows the objects of a stage: one by one, or many of one fate as one.
func (n *narrator) fold() []line {
	b := n.block
	type group struct{ kind, what string }
	var order []group
	members := map[group][]object.Ref{}
	for _, d := range b.waiting {
		g := group{d.ref.Kind, d.what}
		if members[g] == nil {
			order = append(order, g)
		}
		members[g] = append(members[g], d.ref)
	}
	b.waiting = nil
	var lines []line
	for _, g := range order {
		refs := members[g]
		if len(refs) > foldAbove && !n.opts.EachObject {
			lines = append(lines, line{phase: b.name, subject: fmt.Sprintf("%s (%d)", g.kind, len(refs)), text: g.what})
			continue
		}
		for _, ref := range refs {
			lines = append(lines, line{phase: b.name, subject: n.name(ref), text: g.what})
		}
	}
	return lines
}

// closeBlock ends the block with the sum of it.
func (n *narrator) closeBlock() []line {
	if n.block == nil {
		return nil
	}
	lines := n.fold()
	b := n.block
	n.block = nil
	if b.total == 0 {
		return lines
	}
	var parts []string
	for _, w := range unchangedLast(b.words) {
		parts = append(parts, fmt.Sprintf("%d %s", b.counts[w], w))
	}
	look := good
	if b.counts["failed"] > 0 {
		look = bad
	}
	return append(lines, line{
		phase: b.name, subject: objects(b.total), text: strings.Join(parts, ", "), took: b.ended.Sub(b.started), timed: true, look: look,
	})
}

func unchangedLast(words []string) []string {
	sort.SliceStable(words, func(i, j int) bool { return words[i] != string(event.Unchanged) && words[j] == string(event.Unchanged) })
	return words
}

// skips counts the steps that were not run, by what they are.
type skips struct {
	order  []string
	counts map[string]int
}

func (s *skips) add(step plan.Step) {
	var what string
	switch step.Action.(type) {
	case plan.CleanHook, plan.WriteRecord, plan.DeleteRecord:
		return // book-keeping that nobody misses
	case plan.Await:
		what = "wait"
	case plan.RunHook:
		what = phase(step)
		if what != "test" {
			what += " hooks"
		} else {
			what = "tests"
		}
	default:
		what = step.Block
	}
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	if s.counts[what] == 0 {
		s.order = append(s.order, what)
	}
	s.counts[what]++
}

// lines is one line that sums up, or none.
func (s *skips) lines() []line {
	if len(s.order) == 0 {
		return nil
	}
	var parts []string
	for _, what := range s.order {
		if s.counts[what] > 1 {
			what = fmt.Sprintf("%s (%d)", what, s.counts[what])
		}
		parts = append(parts, what)
	}
	return []line{{phase: "not run", text: strings.Join(parts, ", "), look: faint}}
}
