package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// HookOptions are the user's wishes for one more run of a hook.
type HookOptions struct {
	Name      string
	Namespace string
	// Hook is its name, or Kind/name.
	Hook string
	// Event is the one that it runs for; empty chooses one that it has.
	Event release.Event
	// Deadline bounds the whole; 0 means none.
	Deadline time.Duration
	DryRun   DryRunMode
	Plan     plan.Options
}

// RunHook runs one hook of the deployed revision again, without an upgrade. A
// failure leaves the release as it is.
func (s *Service) RunHook(ctx context.Context, opts HookOptions) (*Outcome, error) {
	return s.perform(ctx, task{
		release: opts.Name, op: plan.RunOne, dry: opts.DryRun, deadline: opts.Deadline,
		gather: func(ctx context.Context, s *Service) (*plan.Plan, plan.Inputs, error) { return s.gatherHook(ctx, opts) },
	})
}

func (s *Service) gatherHook(ctx context.Context, opts HookOptions) (*plan.Plan, plan.Inputs, error) {
	in := plan.Inputs{Options: opts.Plan}
	h, err := s.standing(ctx, opts.Name, opts.Namespace, plan.RunOne)
	if err != nil {
		return nil, in, err
	}
	deployed := h.deployed()
	if deployed == nil {
		return nil, in, diag.Problem{
			Summary: fmt.Sprintf("release %s has no deployed revision: the last one is %s", opts.Name, h.last().Status),
			Detail:  "hooks are run again for a release that is in operation",
		}
	}
	s.claim.note(plan.RunOne, deployed.Revision)
	rec, r, err := s.recorded(ctx, h, opts.Namespace, deployed.Revision)
	if err != nil {
		return nil, in, err
	}
	in.Next = rec
	c, err := r.recorded(in.Next)
	if err != nil {
		return nil, in, err
	}
	in.Hooks, in.Wanted, in.Known = c.hooks, c.wanted, known([]content{c})
	if err := s.orphans(ctx, h, &in); err != nil {
		return nil, in, err
	}
	hook, event, err := chooseHook(in.Hooks, opts)
	if err != nil {
		return nil, in, err
	}
	return plan.BuildHook(in, event, hook), in, nil
}

// chooseHook finds the hook that is meant, and the event to run it for.
func chooseHook(hooks []plan.Hook, opts HookOptions) (plan.Hook, release.Event, error) {
	var found []plan.Hook
	var names []string
	for _, h := range hooks {
		names = append(names, h.Kind+"/"+h.Name)
		if h.Name == opts.Hook || strings.EqualFold(h.Kind+"/"+h.Name, opts.Hook) {
			found = append(found, h)
		}
	}
	runs := slices.DeleteFunc(slices.Clone(found), func(h plan.Hook) bool { return !h.Ends() })
	if len(runs) == 1 {
		found = runs // a Job and a ConfigMap of one name: only one of them runs
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return plan.Hook{}, "", diag.Problem{Summary: fmt.Sprintf("release %s has no hooks", opts.Name)}
	case len(found) == 0:
		return plan.Hook{}, "", diag.Problem{
			Summary: fmt.Sprintf("release %s has no hook %s", opts.Name, opts.Hook), Detail: "its hooks are " + strings.Join(slices.Compact(names), ", "),
		}
	case len(found) > 1:
		return plan.Hook{}, "", diag.Problem{Summary: fmt.Sprintf("%s names several hooks of release %s", opts.Hook, opts.Name), Detail: "name one as KIND/NAME"}
	}
	event, ok := plan.EventFor(found[0], opts.Event)
	if !ok {
		return plan.Hook{}, "", diag.Problem{
			Summary: fmt.Sprintf("hook %s has no event %s", opts.Hook, opts.Event), Detail: fmt.Sprintf("its events are %s", eventText(found[0].Events)),
		}
	}
	return found[0], event, nil
}

func eventText(events []release.Event) string {
	words := make([]string, len(events))
	for i, e := range events {
		words[i] = string(e)
	}
	return strings.Join(words, ", ")
}

// CleanHooks removes the finished Jobs and Pods that hooks and tests of any
// recorded revision have left, and tells of the rest: nothing else is touched.
func (s *Service) CleanHooks(ctx context.Context, opts HookOptions) (*Outcome, error) {
	return s.perform(ctx, task{
		release: opts.Name, op: plan.CleanHooks, dry: opts.DryRun, deadline: opts.Deadline,
		gather: func(ctx context.Context, s *Service) (*plan.Plan, plan.Inputs, error) {
			in, err := s.gatherClean(ctx, opts)
			if err != nil {
				return nil, in, err
			}
			return plan.BuildClean(in), in, nil
		},
	})
}

func (s *Service) gatherClean(ctx context.Context, opts HookOptions) (plan.Inputs, error) {
	in := plan.Inputs{Options: opts.Plan}
	h, err := s.standing(ctx, opts.Name, opts.Namespace, plan.CleanHooks)
	if err != nil {
		return in, err
	}
	last := h.last()
	s.claim.note(plan.CleanHooks, last.Revision)
	rec, r, err := s.recorded(ctx, h, opts.Namespace, last.Revision)
	if err != nil {
		return in, err
	}
	in.Next = rec
	contents, err := everyRevision(ctx, h, r)
	if err != nil {
		return in, err
	}
	var hooks []plan.Hook
	for _, c := range contents {
		hooks = append(hooks, c.hooks...)
		in.Recorded = append(in.Recorded, c.wanted...)
	}
	if in.Live, err = s.Cluster.Snapshot(ctx, hookRefs(hooks)); err != nil {
		return in, err
	}
	in.Leftover = leftovers(hooks, in)
	err = s.orphans(ctx, h, &in)
	return in, err
}

// everyRevision reads all revisions, the latest first.
func everyRevision(ctx context.Context, h *history, r *reader) ([]content, error) {
	var out []content
	for _, e := range slices.Backward(h.entries) {
		rec, err := h.get(ctx, e.Revision)
		if err != nil {
			return nil, err
		}
		c, err := r.recorded(rec.Clone())
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}
