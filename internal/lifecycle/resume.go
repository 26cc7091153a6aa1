package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// resumption is a revision whose run died and that is gone on with.
type resumption struct {
	record  *release.Release
	journal *journal
}

// resumable finds the revision that an upgrade may go on with: the latest one,
// pending, whose run is gone and has left a journal. Nil when there is none.
func (d *deployment) resumable(ctx context.Context) (*resumption, error) {
	held, last := d.service.claim.lock(), d.history.last()
	if held == nil || last == nil || held.Previous() == nil {
		return nil, nil
	}
	j := readJournal(held.Previous().Journal)
	if j == nil || j.Revision != last.Revision {
		return nil, nil
	}
	switch {
	case last.Status == release.PendingUpgrade:
	case last.Status == release.Deployed && slices.Contains(held.Unrecorded(), last.Revision) && !beside(j.By):
		// It died after the last record of its own revision.
	case last.Status == release.PendingInstall && (d.opts.Install || d.op == plan.Install):
	default:
		return nil, nil
	}
	record, err := d.history.get(ctx, last.Revision)
	if err != nil {
		return nil, err
	}
	return &resumption{record: record, journal: j}, nil
}

// beside tells of operations that work beside a revision that others have
// brought about: there is no deployment of it to go on with. Journals of older
// versions do not tell, and count as those of a deployment.
func beside(operation string) bool {
	switch plan.Operation(operation) {
	case plan.Test, plan.RunOne, plan.CleanHooks, plan.Uninstall:
		return true
	}
	return false
}

// resume prepares to go on with a dead revision instead of beginning one. False
// when there is nothing to go on with.
func (d *deployment) resume(ctx context.Context) (bool, error) {
	if !d.opts.Resume {
		return false, nil
	}
	r, err := d.resumable(ctx)
	if r == nil || err != nil {
		return false, err
	}
	d.resumed, d.history.resumed = r, r.record.Revision
	if r.record.Info.Status == release.PendingInstall {
		d.op = plan.Install
		return true, nil
	}
	d.current, err = d.history.before(ctx, d.history.resumed)
	if d.current == nil && err == nil {
		d.op = plan.Install
	}
	return true, err
}

// differs says what keeps a new plan from being that of the dead revision;
// empty when nothing does.
func (r *resumption) differs(next *release.Release) string {
	if a, b := r.record.ChartMetadata(), next.ChartMetadata(); a != b {
		return fmt.Sprintf("the chart was %s %s and is %s %s", a.Name, a.Version, b.Name, b.Version)
	}
	if a, b := asJSON(r.record.Config), asJSON(next.Config); a != b {
		return "the values differ"
	}
	if r.record.Manifest != next.Manifest {
		return "the chart renders to another manifest"
	}
	if len(r.record.Hooks) != len(next.Hooks) {
		return "the chart has other hooks"
	}
	for i, h := range next.Hooks {
		if r.record.Hooks[i].Manifest != h.Manifest {
			return fmt.Sprintf("hook %s/%s differs", h.Kind, h.Name)
		}
	}
	return ""
}

func asJSON(values map[string]any) string {
	if len(values) == 0 {
		return "{}"
	}
	text, err := json.Marshal(values)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// goOn turns the plan into one that goes on, or says that a new revision is
// begun after all: then the result is nil.
func (d *deployment) goOn(p *plan.Plan) *plan.Plan {
	switch why := d.differs(); {
	case d.resumed == nil:
		d.service.warn(diag.Problem{Severity: diag.Note, Summary: "there is nothing to resume: a new revision begins"})
		return p
	case why != "":
		d.service.warn(diag.Problem{
			Severity: diag.Warning, Summary: fmt.Sprintf("revision %d cannot be resumed: a new one begins", d.resumed.record.Revision), Detail: why,
		})
		return nil
	}
	j := d.resumed.journal
	d.service.warn(diag.Problem{
		Severity: diag.Note, Summary: fmt.Sprintf("revision %d is gone on with: its run died at %s", j.Revision, j.Step),
	})
	d.service.claim.continues(j)
	if d.resumed.record.Info.Status == release.Deployed {
		return plan.Finish(p)
	}
	return plan.Resume(p, j.before())
}

func (d *deployment) differs() string {
	if d.resumed == nil {
		return ""
	}
	return d.resumed.differs(d.next)
}

// joined takes those out of orphans that this run is going to see to their end. One that
// is gone is not met again: it is told as what is left of the dead run.
func (r *resumption) joined(p *plan.Inputs) {
	mine := map[object.Key]bool{}
	for _, h := range p.Hooks {
		ref := object.RefOf(h.Object)
		for _, e := range h.Events {
			if entry, ok := r.journal.Hooks[plan.HookStep(e, ref)]; ok && !entry.Done && entry.UID != "" {
				mine[ref.Key()] = true
			}
		}
	}
	var left []object.Ref
	for _, ref := range p.Orphans {
		if !mine[ref.Key()] {
			left = append(left, ref)
		}
	}
	p.Orphans = left
	p.Remains = slices.DeleteFunc(p.Remains, func(r plan.Remains) bool {
		return mine[object.RefOf(r.Object).Key()] && !r.Gone && r.Before != nil && !r.Before.Done
	})
}
