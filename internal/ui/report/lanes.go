package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// foldAbove is how many objects of one kind that met the same fate get a lane
// each.
const foldAbove = 3

// lanes turns steps and runs into the lines of a timeline.
type lanes struct {
	operation *Operation
	all       []*Lane
	hooks     map[string]*Lane
	objects   map[object.Key]*Lane
	// seen are the lanes of objects that a wait has told of.
	seen map[*Lane]bool
}

// step finds the lane of a step and adds the step to it. Records are written
// too often to be worth a lane, unless that failed.
func (b *lanes) step(s ledger.Step) {
	if b.hooks == nil {
		b.hooks, b.objects, b.seen = map[string]*Lane{}, map[object.Key]*Lane{}, map[*Lane]bool{}
	}
	switch {
	case isEvent(s.Block) && len(s.Objects) == 1:
		b.hookStep(s)
	case len(s.Observed) > 0 || strings.HasPrefix(s.Words, "wait"):
		b.wait(s)
	case len(s.Objects) == 1:
		b.change(b.object(s.Objects[0], s.Block), s)
	case !strings.HasPrefix(s.ID, "record/") || s.Outcome == ledger.OutcomeFailed:
		l := b.add(&Lane{Kind: Step, Block: s.Block, Name: s.Words})
		b.change(l, s)
	}
}

func (b *lanes) add(l *Lane) *Lane {
	l.Outcome = ledger.OutcomeSkipped
	b.all = append(b.all, l)
	return l
}

// hookStep is the run of a hook, or its deletion afterwards.
func (b *lanes) hookStep(s ledger.Step) {
	l := b.hook(s.Block, s.Objects[0])
	if strings.HasPrefix(s.ID, "clean/") {
		if s.Outcome == ledger.OutcomeDone || s.Outcome == ledger.OutcomeFailed {
			// Beside the lane's own time: what the hook took is what people ask for.
			l.Bars = append(l.Bars, Bar{Kind: Change, Started: s.Started, Ended: s.Ended, Outcome: s.Outcome, Text: orWord(s.Note, "deleted")})
			if s.Outcome == ledger.OutcomeFailed {
				l.Outcome, l.Error = s.Outcome, s.Error
			}
		}
		return
	}
	l.Outcome, l.Note, l.Error, l.Causes, l.Observed = s.Outcome, s.Note, s.Error, s.Causes, s.Observed
	l.Started, l.Ended = s.Started, s.Ended
	l.Seconds = seconds(s.Ended.Sub(s.Started))
}

// hook is the lane of a hook or test of an event.
func (b *lanes) hook(event string, ref object.Ref) *Lane {
	key := event + " " + ref.String()
	if l := b.hooks[key]; l != nil {
		return l
	}
	l := b.add(&Lane{Kind: Hook, Block: event, Name: shortName(ref), Objects: []string{ref.String()}})
	if event == string(release.Test) {
		l.Kind = Test
	}
	b.hooks[key] = l
	return l
}

// run adds an attempt to its hook's lane.
func (b *lanes) run(r ledger.Run) {
	if b.hooks == nil {
		b.hooks = map[string]*Lane{}
	}
	l := b.hook(string(r.Event), r.Object)
	l.Suite, l.Weight, l.Runs = r.Suite, r.Weight, append(l.Runs, r)
	outcome := phaseOutcome(r.Phase)
	if b.operation.Source != FromCourse {
		l.Outcome, l.Error = outcome, r.Message
	}
	if outcome == ledger.OutcomeDone {
		l.Flaky = r.Attempt > 1
	}
	if r.Started.IsZero() || r.Ended.IsZero() {
		return
	}
	if !r.Object.Is("batch", "Job") && !r.Object.Is("", "Pod") {
		b.bar(l, Bar{Kind: Change, Started: r.Started, Ended: r.Ended, Outcome: outcome, Text: attemptText(r)})
		return
	}
	begun := r.Started
	if firstStart(r).IsZero() && len(r.Pods) > 0 { // it never came to work
		b.bar(l, Bar{Kind: Wait, Started: begun, Ended: r.Ended, Outcome: outcome, Text: attemptText(r)})
		return
	}
	if at := firstStart(r); at.Sub(begun) >= time.Second && at.Before(r.Ended) {
		b.bar(l, Bar{Kind: Wait, Started: begun, Ended: at, Text: "waiting for its pod to start"})
		begun = at
	}
	end := r.Ended
	if at := lastEnd(r); at.After(begun) && end.Sub(at) >= noticeable {
		end = at
	}
	b.bar(l, Bar{Kind: Run, Started: begun, Ended: end, Outcome: outcome, Text: attemptText(r)})
	if end.Before(r.Ended) {
		b.bar(l, Bar{Kind: Wait, Started: end, Ended: r.Ended, Text: "waiting for its end to be noticed"})
	}
}

// noticeable is how long after the end of its containers a run must have gone
// on for that to be shown: nodes tell times in whole seconds.
const noticeable = 1500 * time.Millisecond

// lastEnd is when the last container of a run ended, at the latest; the zero
// time where one is not known to have.
func lastEnd(r ledger.Run) time.Time {
	var last time.Time
	for _, p := range r.Pods {
		for _, c := range p.Containers {
			if c.Ended.IsZero() {
				return time.Time{}
			}
			if at := c.Ended.Add(time.Second - time.Nanosecond).Truncate(time.Second); at.After(last) {
				last = at
			}
		}
	}
	return last
}

func attemptText(r ledger.Run) string {
	text := strings.ToLower(string(r.Phase))
	if r.Attempt > 1 || r.Phase == release.PhaseFailed {
		text = fmt.Sprintf("attempt %d %s", r.Attempt, text)
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return text
}

// firstStart is when the first container of a run began to work; the zero time
// where none is known to have.
func firstStart(r ledger.Run) time.Time {
	var first time.Time
	for _, p := range r.Pods {
		for _, c := range p.Containers {
			if !c.Started.IsZero() && (first.IsZero() || c.Started.Before(first)) {
				first = c.Started
			}
		}
	}
	return first
}

// object is the lane of an ordinary object.
func (b *lanes) object(ref object.Ref, block string) *Lane {
	if l := b.objects[ref.Key()]; l != nil {
		return l
	}
	l := b.add(&Lane{Kind: Object, Block: block, Name: shortName(ref), Objects: []string{ref.String()}})
	b.objects[ref.Key()] = l
	return l
}

// change adds a step that takes one request, or a few.
func (b *lanes) change(l *Lane, s ledger.Step) {
	if l.Outcome != ledger.OutcomeFailed {
		l.Outcome = s.Outcome
	}
	if s.Note != "" {
		l.Note = s.Note
	}
	if s.Error != "" {
		l.Error, l.Causes = s.Error, append(l.Causes, s.Causes...)
	}
	if !s.Started.IsZero() && s.Outcome != ledger.OutcomeUnchanged {
		b.bar(l, Bar{Kind: Change, Started: s.Started, Ended: s.Ended, Outcome: s.Outcome, Text: orWord(s.Note, s.Words)})
	}
}

// bar adds a stretch and lets the lane reach as far as it.
func (b *lanes) bar(l *Lane, bar Bar) {
	l.Bars = append(l.Bars, bar)
	if l.Started.IsZero() || bar.Started.Before(l.Started) {
		l.Started = bar.Started
	}
	if bar.Ended.After(l.Ended) {
		l.Ended = bar.Ended
	}
	l.Seconds = seconds(l.Ended.Sub(l.Started))
}

// wait gives each object that a wait has seen the stretches of its states.
func (b *lanes) wait(s ledger.Step) {
	if s.Started.IsZero() {
		return
	}
	seen := map[object.Key][]ledger.Observation{}
	var order []object.Ref
	for _, o := range s.Observed {
		if seen[o.Object.Key()] == nil {
			order = append(order, o.Object)
		}
		seen[o.Object.Key()] = append(seen[o.Object.Key()], o)
	}
	for _, ref := range order {
		b.waited(b.object(ref, s.Block), s, seen[ref.Key()])
	}
	if s.Outcome == ledger.OutcomeFailed {
		b.blame(s, order)
	}
}

func (b *lanes) waited(l *Lane, s ledger.Step, states []ledger.Observation) {
	b.seen[l] = true
	l.Observed = append(l.Observed, states...)
	begun, text := s.Started, "waiting"
	for _, o := range states {
		if o.Time.After(begun) && (o.State == "ready" || o.State == "failed" || o.Message != "") {
			b.bar(l, Bar{Kind: Wait, Started: begun, Ended: o.Time, Outcome: waitOutcome(o.State), Text: text})
			begun = o.Time
		}
		if text = orWord(o.Message, orWord(o.Reason, "waiting")); o.State == "ready" || o.State == "failed" {
			break
		}
	}
	switch last := states[len(states)-1]; {
	case last.State == "ready":
		if l.Outcome != ledger.OutcomeFailed {
			l.Outcome, l.Note = ledger.OutcomeDone, orWord(l.Note, "ready")
		}
	default: // it never came
		l.Outcome, l.Note = ledger.OutcomeFailed, orWord(last.Message, last.Reason)
		if s.Outcome != ledger.OutcomeFailed {
			l.Outcome = ledger.OutcomeDone
		}
		if s.Ended.After(begun) {
			b.bar(l, Bar{Kind: Wait, Started: begun, Ended: s.Ended, Outcome: l.Outcome, Text: text})
		}
	}
}

func waitOutcome(state string) ledger.Outcome {
	if state == "failed" {
		return ledger.OutcomeFailed
	}
	return ""
}

// blame puts the causes of a failed wait into the lanes that they speak of,
// or, where there is no such lane, into one of the wait.
func (b *lanes) blame(s ledger.Step, order []object.Ref) {
	var homeless []ledger.Cause
	for _, cause := range s.Causes {
		i := slices.IndexFunc(order, func(r object.Ref) bool { return r.String() == cause.Subject })
		if i < 0 {
			homeless = append(homeless, cause)
			continue
		}
		l := b.object(order[i], s.Block)
		l.Outcome, l.Causes = ledger.OutcomeFailed, append(l.Causes, cause)
	}
	if len(homeless) > 0 || len(s.Causes) == 0 {
		l := b.add(&Lane{Kind: Step, Block: s.Block, Name: s.Words, Error: s.Error, Causes: homeless})
		l.Outcome = s.Outcome
		b.bar(l, Bar{Kind: Wait, Started: s.Started, Ended: s.Ended, Outcome: s.Outcome, Text: s.Words})
	}
}

// finish gives the lanes in order; many objects of one kind and one fate that
// nothing more is known of become one.
func (b *lanes) finish() []Lane {
	type fate struct{ block, kind, outcome, note string }
	of := func(l *Lane) (fate, bool) {
		plain := l.Kind == Object && !b.seen[l] && l.Outcome != ledger.OutcomeFailed
		kind, _, _ := strings.Cut(l.Name, "/")
		return fate{l.Block, kind, string(l.Outcome), l.Note}, plain
	}
	count := map[fate]int{}
	for _, l := range b.all {
		if f, plain := of(l); plain {
			count[f]++
		}
	}
	folds := map[fate]int{}
	out := []Lane{}
	for _, l := range b.all {
		slices.SortStableFunc(l.Bars, func(a, b Bar) int { return a.Started.Compare(b.Started) })
	}
	for _, l := range b.all {
		f, plain := of(l)
		if !plain || count[f] <= foldAbove {
			out = append(out, *l)
			continue
		}
		at, begun := folds[f]
		if !begun {
			folds[f] = len(out)
			l.Name = fmt.Sprintf("%s (%d)", f.kind, count[f])
			out = append(out, *l)
			continue
		}
		out[at] = merged(out[at], *l)
	}
	return out
}

// merged is the lane of many with one more in it.
func merged(many, one Lane) Lane {
	many.Objects = append(many.Objects, one.Objects...)
	if len(one.Bars) == 0 {
		return many
	}
	if len(many.Bars) == 0 {
		many.Bars, many.Started, many.Ended, many.Seconds = one.Bars, one.Started, one.Ended, one.Seconds
		return many
	}
	if one.Started.Before(many.Started) {
		many.Started = one.Started
	}
	if one.Ended.After(many.Ended) {
		many.Ended = one.Ended
	}
	bar := many.Bars[0]
	bar.Started, bar.Ended = many.Started, many.Ended
	many.Bars, many.Seconds = []Bar{bar}, seconds(many.Ended.Sub(many.Started))
	return many
}

func orWord(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}
