package lifecycle

import (
	"context"
	"fmt"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// recovery says what to do after a failure.
type recovery struct {
	// rollback brings the last good revision back, or, on a first install,
	// removes everything.
	rollback bool
	// cleanup deletes what the failed operation created.
	cleanup    bool
	historyMax int
	recreate   RecreateOptions
}

// ready checks the permissions that the plan needs; in a dry run it gives the
// outcome, which is the plan.
func (s *Service) ready(ctx context.Context, p *plan.Plan, in plan.Inputs, mode DryRunMode) (*Outcome, error) {
	if err := s.checkAccess(ctx, p); err != nil {
		return nil, err
	}
	if mode != Run {
		return &Outcome{Operation: p.Operation, Release: in.Next, DryRun: &DryRun{Plan: p}}, nil
	}
	return nil, nil
}

// attempt runs a plan. The failure is nil when all of it was done; the engine
// is what the plan for after the failure must run on.
func (s *Service) attempt(ctx context.Context, p *plan.Plan, in plan.Inputs) (*engine.Engine, *Outcome, *Failed) {
	hard, cancel := s.untilAbort(ctx)
	defer cancel()
	e := s.newEngine(in)
	result := e.Run(hard, p, s.Signals.Stop)
	if result.Gathered {
		s.claim.settleOwed()
	}
	out := &Outcome{Operation: p.Operation, Plan: p, Result: result, Release: written(e, in.Next)}
	if result.OK() {
		return e, out, nil
	}
	failed := failure(p, result)
	s.deadline.blame(failed, result)
	return e, out, failed
}

// carryOut runs a plan whose failure needs no other one.
func (s *Service) carryOut(ctx context.Context, p *plan.Plan, in plan.Inputs, mode DryRunMode) (*Outcome, error) {
	if dry, err := s.ready(ctx, p, in, mode); dry != nil || err != nil {
		return dry, err
	}
	_, out, failed := s.attempt(ctx, p, in)
	if failed == nil {
		return out, nil
	}
	return out, failed
}

// run runs the plan of an install, upgrade or rollback and deals with its failure.
func (s *Service) run(ctx context.Context, p *plan.Plan, in plan.Inputs, rec recovery) (*Outcome, error) {
	e, out, failed := s.attempt(ctx, p, in)
	if failed == nil {
		return out, nil
	}
	if r := e.Written(in.Next.Revision); r != nil && r.Info.Status == release.Deployed && failed.Cause != nil {
		// All is done but the care of earlier records: that is no reason to undo it.
		failed.Cause.Err = fmt.Errorf("revision %d is deployed, but the history could not be brought up to date: %w", r.Revision, failed.Cause.Err)
		return out, failed
	}
	for _, r := range in.Supersede {
		failed.Standing = max(failed.Standing, r.Revision)
	}
	after := plan.AfterFailure(p.Operation, plan.FailureInputs{
		Next: in.Next, Recorded: wasCreated(e, in.Next), Description: describe(p, failed), Options: in.Options,
	}.Cleaning(rec.cleanup, out.Result.Created))
	last, done := lastWrite(ctx)
	defer done()
	if r := e.Run(last, after, nil); !r.OK() {
		failed.RecordErr = r.Failures[0]
	}
	out.Release = written(e, in.Next)
	if rec.rollback && failed.RecordErr == nil {
		if passed := irreversible(out.Release); passed != "" {
			failed.Rollback, failed.RollbackErr = RollbackFailed, &IrreversibleError{Hook: passed, Release: p.Release}
			return out, failed
		}
		s.recover(ctx, p, in, rec, out, failed)
	}
	return out, failed
}

// recover undoes a failed operation by another one: the uninstall of a first
// install, or a rollback to the last revision that was deployed.
func (s *Service) recover(ctx context.Context, p *plan.Plan, in plan.Inputs, rec recovery, out *Outcome, failed *Failed) {
	again := *s
	again.Signals, again.deadline = Signals{Stop: s.Signals.Abort}, nil // the first signal may be what brought us here
	var err error
	if p.Operation == plan.Install {
		out.RolledBack, err = again.Uninstall(ctx, UninstallOptions{
			Name: in.Next.Name, Namespace: in.Next.Namespace, Plan: plan.Options{
				Timeout: in.Options.Timeout, NoHooks: in.Options.NoHooks, Wait: true,
			},
		})
	} else {
		out.RolledBack, err = again.Rollback(ctx, RollbackOptions{
			Name: in.Next.Name, Namespace: in.Next.Namespace, HistoryMax: rec.historyMax, Automatic: true, Recreate: rec.recreate,
			Plan: plan.Options{
				Timeout: in.Options.Timeout, NoHooks: in.Options.NoHooks, Wait: true, WaitForJobs: in.Options.WaitForJobs,
				ForceConflicts: in.Options.ForceConflicts, Strict: in.Options.Strict,
			},
		})
	}
	if err != nil {
		failed.Rollback, failed.RollbackErr = RollbackFailed, err
		return
	}
	failed.Rollback = RolledBack
	if p.Operation != plan.Install {
		back := out.RolledBack.Release
		failed.BackTo, failed.BackAs = back.Info.RollbackRevision, back.Revision
	}
}

// irreversible names a hook of the failed revision that has succeeded and that
// the chart says cannot be undone; empty where there is none.
func irreversible(r *release.Release) string {
	for _, h := range r.Hooks {
		if h.LastRun.Phase == release.PhaseSucceeded && h.Options().Irreversible {
			return h.Kind + "/" + h.Name
		}
	}
	return ""
}

// failure words what the engine's result means for the operation.
func failure(p *plan.Plan, result *engine.Result) *Failed {
	f := &Failed{Operation: p.Operation, Release: p.Release, Interrupted: result.Interrupted}
	if len(result.Failures) > 0 {
		f.Cause, f.Further = result.Failures[0], result.Failures[1:]
	}
	return f
}

// describe is the description of a failed revision, as Helm words it.
func describe(p *plan.Plan, f *Failed) string {
	var cause string
	switch {
	case f.Cause != nil:
		cause = f.Cause.Error()
	case f.Interrupted:
		cause = "interrupted"
	}
	switch p.Operation {
	case plan.Upgrade:
		return fmt.Sprintf("Upgrade %q failed: %s", p.Release, cause)
	case plan.Rollback:
		return fmt.Sprintf("Rollback %q failed: %s", p.Release, cause)
	case plan.Uninstall:
		return fmt.Sprintf("Uninstall %q failed: %s", p.Release, cause)
	default:
		return fmt.Sprintf("Release %q failed: %s", p.Release, cause)
	}
}

// written is the record as stored, or as planned where it was never stored.
func written(e *engine.Engine, planned *release.Release) *release.Release {
	if r := e.Written(planned.Revision); r != nil {
		return r
	}
	return planned
}

func wasCreated(e *engine.Engine, planned *release.Release) bool {
	return e.Written(planned.Revision) != nil
}
