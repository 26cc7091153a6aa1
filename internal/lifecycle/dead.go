package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// DefaultStaleAfter is how long the record of a revision that is being worked
// on must have been left alone before it is taken for dead, when no lock tells
// more: when it is Helm's, or when Leases may not be used.
const DefaultStaleAfter = time.Hour

// killedMark is in the description of every revision whose run never came to
// its end.
const killedMark = "the run was killed"

// bury marks revisions as failed whose run is gone, so that the operation can
// go on from a history in which everything is final. The lock's earlier holder is the proof that
// a run is gone; without one the record must have been left alone for long,
// and no hook of it be at work, or the operation is refused.
func (s *Service) bury(ctx context.Context, h *history, op plan.Operation) error {
	s.claim.owe()
	dead, by := s.claim.dead()
	h.suspects = slices.Clone(dead)
	for i := range h.entries {
		e := &h.entries[i]
		last := i == len(h.entries)-1
		if e.Status.Final() || e.Status == release.Unknown || e.Revision == h.resumed {
			continue
		}
		proven := slices.Contains(dead, e.Revision)
		switch {
		case e.Status == release.Uninstalling && op == plan.Uninstall:
			if last {
				s.warn(diag.Problem{Severity: diag.Note, Summary: fmt.Sprintf("an earlier uninstall of %s did not come to its end: this one goes on with it", h.name)})
			}
			continue
		case proven:
			if err := s.markKilled(ctx, h, e, ended(by)); err != nil {
				return err
			}
		case !last: // Helm leaves such behind and goes on; so do we
		default:
			why, err := s.stale(ctx, h, e, op)
			if err != nil {
				return err
			}
			if err := s.markKilled(ctx, h, e, why); err != nil {
				return err
			}
		}
	}
	s.claim.buried(dead, h)
	return nil
}

// ended says how it is known that a run is gone.
func ended(by *lock.State) string {
	switch {
	case by == nil:
		return "its lock has ended"
	case by.Abandoned != "":
		return by.Abandoned
	case by.Holder.Known():
		step := ""
		if j := readJournal(by.Journal); j != nil && j.Step != "" && j.Revision == by.Intent.Revision {
			step = ", last seen in " + j.Step
		}
		return fmt.Sprintf("%s, at %s since %s%s, gives no sign of life", by.Holder, orWork(by.Intent.Operation), by.Since.UTC().Format(time.RFC3339), step)
	}
	return "its lock has ended"
}

func orWork(operation string) string {
	if operation == "" {
		return "work"
	}
	return operation
}

// markKilled records that a revision failed, and tells.
func (s *Service) markKilled(ctx context.Context, h *history, e *release.Entry, why string) error {
	was := e.Status
	if s.claim != nil {
		r, err := h.get(ctx, e.Revision)
		if err != nil {
			return err
		}
		r = r.Clone()
		r.SetStatus(release.Failed, fmt.Sprintf("%s failed: %s while it was %s; %s", subject(was, h.name), killedMark, was, why))
		if err := s.Records.Update(ctx, r); err != nil {
			return fmt.Errorf("marking the dead revision %d as failed: %w", e.Revision, err)
		}
		h.read[e.Revision] = r
	}
	e.Status = release.Failed
	h.killed = append(h.killed, e.Revision)
	h.suspects = append(h.suspects, e.Revision)
	verb := "it is marked as failed"
	if s.claim == nil {
		verb = "it would be marked as failed"
	}
	s.warn(diag.Problem{
		Severity: diag.Warning, Summary: fmt.Sprintf("revision %d of %s was left as %s by a run that is gone: %s", e.Revision, h.name, was, verb), Detail: why,
	})
	return nil
}

// subject is how Helm begins the description of a failure.
func subject(was release.Status, name string) string {
	switch was {
	case release.PendingUpgrade:
		return fmt.Sprintf("Upgrade %q", name)
	case release.PendingRollback:
		return fmt.Sprintf("Rollback %q", name)
	case release.Uninstalling:
		return fmt.Sprintf("Uninstall %q", name)
	default:
		return fmt.Sprintf("Release %q", name)
	}
}

// stale tells why a revision may be taken for dead although no lock says so;
// the error is a *PendingError when it may not.
func (s *Service) stale(ctx context.Context, h *history, e *release.Entry, op plan.Operation) (string, error) {
	after := s.StaleAfter
	if after <= 0 {
		after = DefaultStaleAfter
	}
	refused := &PendingError{Operation: op, Name: h.name, Revision: e.Revision, Status: e.Status, Since: e.Modified, StaleAfter: after}
	r, err := h.get(ctx, e.Revision)
	if err != nil {
		return "", err
	}
	if refused.Since.IsZero() {
		refused.Since = r.Info.LastDeployed
	}
	live, err := s.hookObjects(ctx, []*release.Release{r})
	if err != nil {
		return "", err
	}
	active := unfinished(live)
	quiet := s.Now().Sub(refused.Since)
	if len(active) > 0 {
		refused.Active = active
		return "", refused
	}
	if quiet < after {
		return "", refused
	}
	return fmt.Sprintf("its record has been left alone for %s and none of its hooks is at work", quiet.Round(time.Second)), nil
}

// hookObject is a Job or Pod of a recorded revision's hook, as it is live.
type hookObject struct {
	record *release.Release
	hook   *release.Hook
	live   *unstructured.Unstructured
}

// hookObjects are the live Jobs and Pods that the hooks of the revisions name.
func (s *Service) hookObjects(ctx context.Context, revisions []*release.Release) ([]hookObject, error) {
	var all []hookObject
	set := object.NewSet()
	for _, r := range revisions {
		for _, h := range r.Hooks {
			obj, err := hookIn(r, h)
			if err != nil || !engine.Ends(object.RefOf(obj)) {
				continue // what cannot be read was never created by us
			}
			set.Add(object.RefOf(obj))
			all = append(all, hookObject{record: r, hook: h, live: obj})
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	live, err := s.Cluster.Snapshot(ctx, set.Refs())
	if err != nil {
		return nil, fmt.Errorf("looking for hooks that are still running: %w", err)
	}
	for i, o := range all {
		all[i].live = live[object.RefOf(o.live).Key()]
	}
	return slices.DeleteFunc(all, func(o hookObject) bool { return o.live == nil }), nil
}

// hookIn is the object of a recorded hook, with its namespace filled in.
func hookIn(r *release.Release, h *release.Hook) (*unstructured.Unstructured, error) {
	obj, err := h.Parse()
	if err == nil && obj.GetNamespace() == "" {
		obj.SetNamespace(r.Namespace)
	}
	return obj, err
}

// unfinished are those that have not ended.
func unfinished(live []hookObject) []object.Ref {
	set := object.NewSet()
	for _, o := range live {
		if engine.AtWork(o.live) {
			set.Add(object.RefOf(o.live))
		}
	}
	return set.Refs()
}

// orphans fills in the unfinished Jobs and Pods of revisions whose run is over: of
// every one after the deployed revision, and of those that a dead run worked on;
// and what is to be kept of them in the ledger.
func (s *Service) orphans(ctx context.Context, h *history, in *plan.Inputs) error {
	in.Options.StopOrphans = in.Options.StopOrphans || s.StopOrphans
	from := 0
	if d := h.deployed(); d != nil {
		from = d.Revision
	}
	var revisions []*release.Release
	for _, e := range h.entries {
		if e.Revision <= from && !slices.Contains(h.suspects, e.Revision) || e.Status == release.Superseded {
			continue
		}
		r, err := h.get(ctx, e.Revision)
		if err != nil {
			return err
		}
		revisions = append(revisions, r)
	}
	live, err := s.hookObjects(ctx, revisions)
	if err != nil {
		return err
	}
	in.Orphans = unfinished(live)
	if err := s.remains(ctx, h, live, in); err != nil {
		return err
	}
	if len(in.Remains) == 0 {
		s.claim.settleOwed()
	}
	return nil
}

// neverDeployed tells that the release's whole history is one of runs that were
// killed: whoever installs it again takes no name from anybody.
func (h *history) neverDeployed(ctx context.Context) (bool, error) {
	for _, e := range h.entries {
		if e.Status != release.Failed && e.Status != release.Uninstalled {
			return false, nil
		}
	}
	last := h.last()
	if last == nil || slices.Contains(h.killed, last.Revision) {
		return last != nil, nil
	}
	r, err := h.get(ctx, last.Revision)
	if err != nil {
		return false, err
	}
	return strings.Contains(r.Info.Description, killedMark), nil
}
