package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// UninstallOptions are the user's wishes for an uninstall.
type UninstallOptions struct {
	Name      string
	Namespace string
	DryRun    DryRunMode
	// Deadline bounds the whole operation; 0 means none.
	Deadline time.Duration
	Plan     plan.Options
}

// Uninstall removes a release's objects and, unless the plan's options keep
// it, its history.
func (s *Service) Uninstall(ctx context.Context, opts UninstallOptions) (*Outcome, error) {
	return s.exclusively(ctx, opts.Name, plan.Uninstall, opts.DryRun, func(s *Service) (*Outcome, error) {
		return s.uninstall(ctx, opts)
	})
}

func (s *Service) uninstall(ctx context.Context, opts UninstallOptions) (*Outcome, error) {
	var in plan.Inputs
	if err := s.gathering(ctx, func(ctx context.Context) (err error) {
		in, err = s.gatherUninstall(ctx, opts)
		return err
	}); err != nil {
		return nil, err
	}
	p := plan.BuildUninstall(in)
	if dry, err := s.ready(ctx, p, in, opts.DryRun); dry != nil || err != nil {
		return dry, err
	}
	e, out, failed := s.attempt(ctx, p, in, opts.Deadline)
	if failed == nil {
		return out, nil
	}
	after := plan.AfterFailure(plan.Uninstall, plan.FailureInputs{
		Next: in.Next, Recorded: wasCreated(e, in.Next), Description: describe(p, failed), Options: in.Options,
		Begun: begun(out.Result),
	})
	last, done := lastWrite(ctx)
	defer done()
	if r := e.Run(last, after, nil); !r.OK() {
		failed.RecordErr = r.Failures[0]
	}
	out.Release = written(e, in.Next)
	return out, failed
}

// begun tells that an uninstall has come as far as deleting objects.
func begun(result *engine.Result) bool {
	switch result.Reached {
	case plan.BlockCustom, plan.BlockDelete, string(release.PostDelete), plan.BlockRecord:
		return true
	}
	return false
}

func (s *Service) gatherUninstall(ctx context.Context, opts UninstallOptions) (plan.Inputs, error) {
	in := plan.Inputs{Options: opts.Plan}
	h, err := s.standing(ctx, opts.Name, opts.Namespace, plan.Uninstall)
	if err != nil {
		return in, err
	}
	last := h.last()
	s.claim.note(plan.Uninstall, last.Revision)
	if last.Status == release.Uninstalled && opts.Plan.KeepHistory {
		return in, diag.Problem{Summary: fmt.Sprintf("release %s is uninstalled already", opts.Name)}
	}
	// The current revision's hooks run and its record is marked: the deployed
	// one's where a failed upgrade came after it would be the wrong record.
	rec, r, err := s.recorded(ctx, h, opts.Namespace, last.Revision)
	if err != nil {
		return in, err
	}
	in.Next = rec
	current, err := r.recorded(in.Next)
	if err != nil {
		return in, err
	}
	in.Hooks, in.Recorded = current.hooks, current.wanted
	past, err := h.inCluster(ctx)
	if err != nil {
		return in, err
	}
	for _, rec := range past {
		if rec.Revision == in.Next.Revision {
			continue
		}
		c, err := r.recorded(rec.Clone())
		if err != nil {
			return in, err
		}
		in.Recorded = append(in.Recorded, c.wanted...)
	}
	in.Recorded = distinct(in.Recorded)
	if err := s.orphans(ctx, h, &in); err != nil {
		return in, err
	}
	in.Forget = h.all()
	live, err := s.Cluster.Snapshot(ctx, append(refs(in.Recorded), hookRefs(in.Hooks)...))
	in.Live = live
	in.Leftover = leftovers(in.Hooks, live)
	for i, l := range in.Leftover {
		// The run sees orphans to their end before it comes to this.
		in.Leftover[i].Finished = l.Finished || !in.Options.NoHooks && slices.Contains(in.Orphans, object.RefOf(l.Object))
	}
	return in, err
}

func hookRefs(hooks []plan.Hook) []object.Ref {
	set := object.NewSet()
	for _, h := range hooks {
		set.Add(object.RefOf(h.Object))
	}
	return set.Refs()
}

// leftovers are the live objects of hooks. One that is not what the record
// says is left out: it belongs to someone else.
func leftovers(hooks []plan.Hook, live map[object.Key]*unstructured.Unstructured) []plan.Leftover {
	var out []plan.Leftover
	seen := object.NewSet()
	for _, h := range hooks {
		ref := object.RefOf(h.Object)
		found := live[ref.Key()]
		if found == nil || !seen.Add(ref) || h.On(release.PostDelete) || !plan.Holds(found, h.Object) {
			continue
		}
		out = append(out, plan.Leftover{Object: found, Finished: engine.Finished(found)})
	}
	return out
}
