package lifecycle

import (
	"context"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// remains fills in whose story is missing in the ledger although a hook of ours
// ran: live Jobs and Pods that a dead run has created or that are at work still,
// and those that are gone but of which its journal tells. Where nothing is found
// that costs no request.
func (s *Service) remains(ctx context.Context, h *history, live []hookObject, in *plan.Inputs) error {
	if s.Engine.Ledger == nil {
		return nil
	}
	noted := s.claim.journalOfTheDead()
	var found []plan.Remains
	seen := map[string]bool{}
	for _, o := range live {
		r, ok := o.remains(h)
		uid := string(o.live.GetUID())
		if !ok || seen[uid] || !engine.AtWork(o.live) && !h.deadRun(o.record) {
			continue
		}
		seen[uid] = true
		r.Before = noted.of(uid)
		found = append(found, r)
	}
	gone, err := h.gone(ctx, noted, seen)
	if err != nil {
		return err
	}
	in.Remains = s.untold(ctx, h.name, append(found, gone...))
	in.Conceal, err = h.secretsOf(ctx, in.Remains)
	return err
}

// remains is what a live object says of itself, if a run of this very revision
// has created it.
func (o hookObject) remains(h *history) (plan.Remains, bool) {
	mark, ok := ledger.ReadMark(object.RunMark(o.live))
	if !ok || mark.Release != h.name || mark.Revision != o.record.Revision {
		return plan.Remains{}, false
	}
	return plan.Remains{Revision: mark.Revision, Hook: o.hook, Object: o.live}, true
}

// deadRun tells that a run which worked on the revision was killed.
func (h *history) deadRun(r *release.Release) bool {
	return slices.Contains(h.suspects, r.Revision) || strings.Contains(r.Info.Description, killedMark)
}

// of is what the journal says of the object with that UID.
func (j *journal) of(uid string) *plan.HookBefore {
	if j == nil {
		return nil
	}
	for _, hook := range j.Hooks {
		if hook.UID == uid {
			before := hook.before()
			return &before
		}
	}
	return nil
}

// gone are the hooks of a journal that have not been seen live: all that is
// known of them is that they ran, and perhaps that they succeeded.
func (h *history) gone(ctx context.Context, j *journal, seen map[string]bool) ([]plan.Remains, error) {
	known := func(e release.Entry) bool { return j != nil && e.Revision == j.Revision }
	if j == nil || j.Operation == nil || !slices.ContainsFunc(h.entries, known) {
		return nil, nil
	}
	r, err := h.get(ctx, j.Revision)
	if err != nil {
		return nil, err
	}
	var out []plan.Remains
	for _, hook := range r.Hooks {
		obj, err := hookIn(r, hook)
		if err != nil || !engine.Ends(object.RefOf(obj)) {
			continue // what does not run has nothing to tell
		}
		for _, event := range hook.Events {
			entry, noted := j.Hooks[plan.HookStep(event, object.RefOf(obj))]
			if !noted || entry.UID == "" || seen[entry.UID] {
				continue
			}
			mark := ledger.Mark{Operation: *j.Operation, Release: h.name, Revision: j.Revision, Event: event, Attempt: max(entry.Attempt, 1)}
			was := object.WithRunMark(obj, mark.String())
			was.SetUID(types.UID(entry.UID))
			before := entry.before()
			out = append(out, plan.Remains{Revision: j.Revision, Hook: hook, Object: was, Gone: true, Before: &before})
		}
	}
	return out, nil
}

// untold leaves those out that the ledger tells of already.
func (s *Service) untold(ctx context.Context, name string, remains []plan.Remains) []plan.Remains {
	told := map[int]map[string]bool{}
	for _, r := range remains {
		if told[r.Revision] != nil {
			continue
		}
		told[r.Revision] = map[string]bool{}
		runs, err := s.Engine.Ledger.Read(ctx, ledger.Wanted{Release: name, Revision: r.Revision})
		if err != nil { // what is written twice is read once
			s.warn(diag.Problem{Severity: diag.Warning, Summary: "the ledger of a dead revision cannot be read: " + err.Error()})
		}
		for _, run := range runs {
			told[r.Revision][run.UID] = run.Phase != release.PhaseRunning
		}
	}
	return slices.DeleteFunc(remains, func(r plan.Remains) bool { return told[r.Revision][string(r.Object.GetUID())] })
}

// secretsOf are the Secrets of the revisions: hooks may have said their values.
func (h *history) secretsOf(ctx context.Context, remains []plan.Remains) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	done := map[int]bool{}
	for _, r := range remains {
		if done[r.Revision] {
			continue
		}
		done[r.Revision] = true
		record, err := h.get(ctx, r.Revision)
		if err != nil {
			return nil, err
		}
		documents := object.Split(record.Manifest)
		for _, hook := range record.Hooks {
			documents = append(documents, hook.Document())
		}
		for _, d := range documents {
			out = append(out, secretsIn(d)...)
		}
	}
	return out, nil
}

// secretsIn are the Secrets of a document, also those in a list; what cannot be read
// has none.
func secretsIn(d object.Document) []*unstructured.Unstructured {
	obj, err := object.Parse(d)
	if err != nil || obj == nil {
		return nil
	}
	items, err := object.Expand(obj)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(items, func(o *unstructured.Unstructured) bool { return !object.RefOf(o).Is("", "Secret") })
}
