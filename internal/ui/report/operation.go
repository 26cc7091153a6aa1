package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// operation tells one operation from its course and its runs, or from the runs
// alone where a run of Pintle was killed before it could store the course.
func operation(o ledger.Operation, c *ledger.Course, runs []ledger.Run) Operation {
	out := Operation{ID: o.ID, Name: o.Name, By: o.By, Started: o.Started, Outcome: OutcomeUnknown, Source: FromRuns}
	b := &lanes{operation: &out}
	if c != nil {
		out.Outcome, out.Ended, out.Source = c.Outcome, c.Ended, FromCourse
		for _, s := range c.Steps {
			b.step(s)
		}
	}
	for _, r := range runs {
		b.run(r)
	}
	out.Lanes = b.finish()
	for _, l := range out.Lanes {
		if l.Ended.After(out.Ended) {
			out.Ended = l.Ended
		}
	}
	if out.Ended.Before(out.Started) {
		out.Ended = out.Started
	}
	out.Seconds = seconds(out.Ended.Sub(out.Started))
	return out
}

// recorded tells of the hooks what the record alone knows; false where it
// knows nothing.
func recorded(rec *release.Release) (Operation, bool) {
	out := Operation{ID: "record", Name: "release", Outcome: OutcomeUnknown, Source: FromRecord, Lanes: []Lane{}}
	for _, h := range rec.Hooks {
		if h.LastRun.StartedAt.IsZero() {
			continue
		}
		l := Lane{
			Kind: Hook, Block: "hooks", Name: h.Kind + "/" + h.Name, Weight: h.Weight, Outcome: phaseOutcome(h.LastRun.Phase),
			Started: h.LastRun.StartedAt, Ended: h.LastRun.CompletedAt,
		}
		if h.On(release.Test) {
			l.Kind, l.Block = Test, string(release.Test)
		} else if len(h.Events) == 1 {
			l.Block = string(h.Events[0])
		}
		if l.Ended.Before(l.Started) {
			l.Ended = l.Started
		}
		l.Seconds = seconds(l.Ended.Sub(l.Started))
		l.Bars = []Bar{{Kind: Run, Started: l.Started, Ended: l.Ended, Outcome: l.Outcome, Text: string(h.LastRun.Phase)}}
		out.Lanes = append(out.Lanes, l)
	}
	slices.SortStableFunc(out.Lanes, func(a, b Lane) int { return a.Started.Compare(b.Started) })
	for _, l := range out.Lanes {
		if out.Started.IsZero() {
			out.Started = l.Started
		}
		if l.Ended.After(out.Ended) {
			out.Ended = l.Ended
		}
	}
	out.Seconds = seconds(out.Ended.Sub(out.Started))
	return out, len(out.Lanes) > 0
}

func sortOperations(ops []Operation) {
	slices.SortStableFunc(ops, func(a, b Operation) int { return cmp.Compare(a.Started.UnixNano(), b.Started.UnixNano()) })
}

func phaseOutcome(p release.Phase) ledger.Outcome {
	switch p {
	case release.PhaseSucceeded:
		return ledger.OutcomeDone
	case release.PhaseFailed:
		return ledger.OutcomeFailed
	}
	return OutcomeUnknown
}

// seconds are rounded to milliseconds: more is noise to every reader.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

// name is an object as people write it, without the namespace where that is
// the release's own.
func shortName(ref object.Ref) string { return ref.Short() }

func isEvent(block string) bool {
	return slices.Contains(release.Events(), release.Event(strings.TrimSpace(block)))
}
