package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
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
	return s.within(opts.Deadline, plan.Uninstall, opts.Name, func(s *Service) (*Outcome, error) {
		return s.exclusively(ctx, opts.Name, plan.Uninstall, opts.DryRun, func(s *Service) (*Outcome, error) { return s.uninstall(ctx, opts) })
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
	e, out, failed := s.attempt(ctx, p, in)
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
	h.fetch(ctx) // the objects and hooks of all of them are looked at
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
	if in.Live, err = s.Cluster.Snapshot(ctx, append(refs(in.Recorded), hookRefs(in.Hooks)...)); err != nil {
		return in, err
	}
	earlier := s.earlierHooks(ctx, h, r, in)
	in.Leftover = leftovers(append(slices.Clone(in.Hooks), earlier...), in)
	for i, l := range in.Leftover {
		// The run sees orphans to their end before it comes to this.
		in.Leftover[i].Finished = l.Finished || !in.Options.NoHooks && slices.Contains(in.Orphans, object.RefOf(l.Object))
	}
	return in, nil
}

// earlierHooks are the hooks of all other revisions that are kept, the latest
// first; their live objects are added to those of the inputs. They are only
// looked at for what they have left behind: a record that cannot be read, or
// an object that may not be, keeps nobody from uninstalling the release.
func (s *Service) earlierHooks(ctx context.Context, h *history, r *reader, in plan.Inputs) []plan.Hook {
	var out []plan.Hook
	for _, e := range slices.Backward(h.entries) {
		if e.Revision == in.Next.Revision {
			continue
		}
		rec, err := h.get(ctx, e.Revision)
		if err != nil {
			s.warn(diag.Problem{Severity: diag.Warning, Summary: "what its hooks have left behind is not known: " + err.Error()})
			continue
		}
		c, err := r.recorded(rec.Clone())
		if err != nil {
			s.warn(diag.Problem{Severity: diag.Warning, Summary: "what its hooks have left behind is not known: " + err.Error()})
			continue
		}
		out = append(out, c.hooks...)
	}
	asked := object.NewSet(append(refs(in.Recorded), hookRefs(in.Hooks)...)...)
	unknown := slices.DeleteFunc(hookRefs(out), func(ref object.Ref) bool { return asked.Has(ref.Key()) })
	if len(unknown) == 0 {
		return out
	}
	live, err := s.Cluster.Snapshot(ctx, unknown)
	if err != nil {
		s.warn(diag.Problem{Severity: diag.Warning, Summary: "what hooks of earlier revisions have left behind is not known: " + err.Error()})
	}
	maps.Copy(in.Live, live)
	return out
}

func hookRefs(hooks []plan.Hook) []object.Ref {
	set := object.NewSet()
	for _, h := range hooks {
		set.Add(object.RefOf(h.Object))
	}
	return set.Refs()
}

// leftovers are the live objects of hooks, but for those of ordinary objects
// that go anyhow. One that lacks what each record says of it may be somebody
// else's.
func leftovers(hooks []plan.Hook, in plan.Inputs) []plan.Leftover {
	ordinary := object.NewSet()
	for _, o := range in.Recorded {
		ordinary.Add(o.Ref())
	}
	var out []plan.Leftover
	at := map[object.Key]int{}
	for _, h := range hooks {
		ref := object.RefOf(h.Object)
		found := in.Live[ref.Key()]
		if found == nil || ordinary.Has(ref.Key()) || h.On(release.PostDelete) && !in.Options.NoHooks {
			continue
		}
		foreign := !plan.Holds(found, h.Object)
		if i, seen := at[ref.Key()]; seen {
			out[i].Foreign = out[i].Foreign && foreign
			continue
		}
		at[ref.Key()] = len(out)
		out = append(out, plan.Leftover{Object: found, Finished: engine.Ends(ref) && !engine.AtWork(found), Foreign: foreign})
	}
	return out
}
