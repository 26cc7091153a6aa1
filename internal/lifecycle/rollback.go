package lifecycle

import (
	"context"
	"fmt"

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
	// Automatic tells that a failed upgrade asked for it, not the user.
	Automatic     bool
	CleanupOnFail bool
	HistoryMax    int
	DryRun        DryRunMode
	Plan          plan.Options
}

// Rollback brings the content of an earlier revision back as a new one.
func (s *Service) Rollback(ctx context.Context, opts RollbackOptions) (*Outcome, error) {
	var in plan.Inputs
	if err := s.gathering(ctx, func(ctx context.Context) (err error) {
		in, err = s.gatherRollback(ctx, opts)
		return err
	}); err != nil {
		return nil, err
	}
	p := plan.Build(plan.Rollback, in)
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
	if err := h.refusePending(plan.Rollback); err != nil {
		return in, err
	}
	target, err := h.target(ctx, opts)
	if err != nil {
		return in, err
	}
	catalog, _, err := s.Cluster.Discover(ctx)
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
	past, err := h.inCluster(ctx)
	if err != nil {
		return in, err
	}
	contents := []content{}
	for _, rec := range past {
		c, err := r.recorded(rec.Clone())
		if err != nil {
			return in, err
		}
		in.Recorded = append(in.Recorded, c.wanted...)
		contents = append(contents, c)
	}
	in.Known = known(contents)
	in.Forget = h.beyond(opts.HistoryMax)
	if in.Supersede, err = h.marked(ctx); err != nil {
		return in, err
	}
	in.Live, err = s.Cluster.Snapshot(ctx, refs(in.Wanted, in.Recorded))
	return in, err
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

// target picks the revision to go back to: the one that was asked for, the
// deployed one after a failed upgrade, or the last good one before the latest.
func (h *history) target(ctx context.Context, opts RollbackOptions) (*release.Release, error) {
	if len(h.entries) == 0 {
		return nil, diag.Problem{Summary: fmt.Sprintf("there is no release %s in namespace %s", opts.Name, opts.Namespace)}
	}
	if opts.Revision > 0 {
		for _, e := range h.entries {
			if e.Revision == opts.Revision {
				return h.get(ctx, e.Revision)
			}
		}
		return nil, diag.Problem{Summary: fmt.Sprintf("release %s has no revision %d", opts.Name, opts.Revision), Detail: "see `pintle history " + opts.Name + "`"}
	}
	for i := len(h.entries) - 1; i >= 0; i-- {
		e := h.entries[i]
		if i == len(h.entries)-1 && !(opts.Automatic && e.Status == release.Deployed) {
			continue // that is the one to leave
		}
		if e.Status == release.Deployed || e.Status == release.Superseded {
			return h.get(ctx, e.Revision)
		}
	}
	return nil, diag.Problem{Summary: fmt.Sprintf("release %s has no earlier revision that was ever deployed", opts.Name)}
}
