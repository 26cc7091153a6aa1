package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// RollbackOptions are the user's wishes for a rollback.
type RollbackOptions struct {
	Name      string
	Namespace string
	// Revision is the one to go back to; 0 picks the last good one.
	Revision int
	// ToPrevious picks the revision before the latest, good or not, as Helm does.
	ToPrevious bool
	Recreate   RecreateOptions
	// Automatic tells that a failed upgrade asked for it, not the user.
	Automatic     bool
	CleanupOnFail bool
	// Deadline bounds the whole operation; 0 means none.
	Deadline   time.Duration
	HistoryMax int
	DryRun     DryRunMode
	Plan       plan.Options
}

// Rollback brings the content of an earlier revision back as a new one.
func (s *Service) Rollback(ctx context.Context, opts RollbackOptions) (*Outcome, error) {
	return s.within(opts.Deadline, plan.Rollback, opts.Name, func(s *Service) (*Outcome, error) {
		return s.exclusively(ctx, opts.Name, plan.Rollback, opts.DryRun, func(s *Service) (*Outcome, error) { return s.rollback(ctx, opts) })
	})
}

func (s *Service) rollback(ctx context.Context, opts RollbackOptions) (*Outcome, error) {
	var in plan.Inputs
	if err := s.gathering(ctx, func(ctx context.Context) (err error) {
		defer s.phase("gather")()
		in, err = s.gatherRollback(ctx, opts)
		return err
	}); err != nil {
		return nil, err
	}
	p := plan.Build(plan.Rollback, in)
	if err := s.checkAccess(ctx, p); err != nil {
		return nil, err
	}
	if opts.DryRun != Run {
		return &Outcome{Operation: p.Operation, Release: in.Next, DryRun: &DryRun{Plan: p}}, nil
	}
	return s.run(ctx, p, in, recovery{cleanup: opts.CleanupOnFail})
}

func (s *Service) gatherRollback(ctx context.Context, opts RollbackOptions) (plan.Inputs, error) {
	in := plan.Inputs{Options: opts.Plan}
	h, err := s.history(ctx, opts.Name)
	if err != nil {
		return in, err
	}
	if err := s.bury(ctx, h, plan.Rollback); err != nil {
		return in, err
	}
	s.claim.note(plan.Rollback, h.next())
	target, why, err := h.target(ctx, opts)
	if err != nil {
		return in, err
	}
	if why != "" {
		s.warn(diag.Problem{Severity: diag.Note, Summary: why})
	}
	catalog, _, err := s.discovery.wait(ctx)
	if err != nil {
		return in, err
	}
	in.Next = again(target, h, s)
	r := &reader{release: opts.Name, namespace: opts.Namespace, catalog: catalog}
	wanted, err := r.recorded(in.Next)
	if err != nil {
		return in, err
	}
	in.Wanted, in.Hooks = wanted.wanted, wanted.hooks
	if err := checkTests(opts.Name, in); err != nil {
		return in, err
	}
	if err := s.left(ctx, h, r, &in, opts.HistoryMax); err != nil {
		return in, err
	}
	if in.Live, err = s.Cluster.Snapshot(ctx, refs(in.Wanted, in.Recorded)); err != nil {
		return in, err
	}
	if err := r.checkImmutable(ctx, s, &in, opts.Recreate); err != nil {
		return in, err
	}
	return in, r.problems.Err()
}

// again is the new revision that repeats an earlier one.
func again(target *release.Release, h *history, s *Service) *release.Release {
	next := target.Clone()
	next.Revision = h.next()
	next.ApplyMethod = release.ServerSide
	next.Info.LastDeployed = s.Now()
	next.Info.RollbackRevision = target.Revision
	for _, hook := range next.Hooks {
		hook.LastRun = release.Execution{}
	}
	return next
}

// target picks the revision to go back to: the one that was asked for, the one
// before the latest, as Helm does, or the last good one; and says why.
func (h *history) target(ctx context.Context, opts RollbackOptions) (target *release.Release, why string, err error) {
	last := h.last()
	switch {
	case last == nil:
		return nil, "", &NoReleaseError{Name: opts.Name, Namespace: opts.Namespace}
	case opts.Revision > 0:
		target, err = h.existing(ctx, opts.Revision)
		return target, "", err
	case opts.ToPrevious:
		target, err = h.existing(ctx, last.Revision-1)
		return target, "", err
	}
	before := last.Revision
	if opts.Automatic && last.Status == release.Deployed {
		before++ // the failed upgrade left no revision behind: the deployed one is brought back
	}
	if target, why, err = h.lastGood(ctx, before); target == nil && err == nil {
		err = diag.Problem{Summary: why, Detail: "name the revision to go back to; see `pintle history " + opts.Name + "`"}
	}
	return target, why, err
}

// lastGood is release.LastGood on as many of the latest revisions as it takes:
// a status alone rules out some of them, and none is read below the one that is found.
func (h *history) lastGood(ctx context.Context, before int) (target *release.Release, why string, err error) {
	var known []*release.Release
	for _, e := range slices.Backward(h.entries) {
		r := &release.Release{Revision: e.Revision, Info: release.Info{Status: e.Status}}
		if e.Revision < before && (e.Status == release.Deployed || e.Status == release.Superseded) {
			if r, err = h.get(ctx, e.Revision); err != nil {
				return nil, "", err
			}
		}
		known = append(known, r)
		if target, why = release.LastGood(known, before); target != nil {
			break
		}
	}
	return target, why, nil
}

// existing reads a revision that the user named.
func (h *history) existing(ctx context.Context, revision int) (*release.Release, error) {
	for _, e := range h.entries {
		if e.Revision == revision {
			return h.get(ctx, revision)
		}
	}
	return nil, diag.Problem{Summary: fmt.Sprintf("release %s has no revision %d", h.name, revision), Detail: "see `pintle history " + h.name + "`"}
}
