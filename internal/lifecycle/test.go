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

// TestOptions are the user's wishes for a run of a release's tests.
type TestOptions struct {
	Name      string
	Namespace string
	// Deadline bounds the whole run; 0 means none.
	Deadline time.Duration
	// DryRun, unless it is Run, plans the tests and runs none.
	DryRun DryRunMode
	Plan   plan.Options
}

// Test runs the tests of a release's deployed revision. A release without
// tests gives an outcome without runs and no error.
func (s *Service) Test(ctx context.Context, opts TestOptions) (*Outcome, error) {
	return s.perform(ctx, task{
		release: opts.Name, op: plan.Test, dry: opts.DryRun, deadline: opts.Deadline,
		gather: func(ctx context.Context, s *Service) (*plan.Plan, plan.Inputs, error) {
			in, err := s.gatherTest(ctx, opts)
			if err != nil {
				return nil, in, err
			}
			return plan.BuildTest(in), in, nil
		},
	})
}

func (s *Service) gatherTest(ctx context.Context, opts TestOptions) (plan.Inputs, error) {
	in := plan.Inputs{Options: opts.Plan}
	in.Options.Tests.Run = true
	h, err := s.standing(ctx, opts.Name, opts.Namespace, plan.Test)
	if err != nil {
		return in, err
	}
	last := h.last()
	s.claim.note(plan.Test, last.Revision)
	if last.Status != release.Deployed {
		return in, diag.Problem{
			Summary: fmt.Sprintf("release %s cannot be tested: revision %d is %s", opts.Name, last.Revision, last.Status),
			Detail:  "tests check a release whose latest revision is deployed",
		}
	}
	rec, r, err := s.recorded(ctx, h, opts.Namespace, last.Revision)
	if err != nil {
		return in, err
	}
	in.Next = rec
	c, err := r.recorded(in.Next)
	if err != nil {
		return in, err
	}
	in.Hooks, in.Recorded = c.hooks, c.wanted
	in.Known = known([]content{c})
	if err := s.orphans(ctx, h, &in); err != nil {
		return in, err
	}
	return in, checkTests(opts.Name, in)
}

// checkTests, where tests are to run, refuses to let a release pass for tested when no test would run:
// because it has none, if the user said that there must be some, or because
// filters leave none over.
func checkTests(name string, in plan.Inputs) error {
	opts := in.Options.Tests
	if !opts.Run {
		return nil
	}
	var names []string
	for _, h := range in.Hooks {
		if !h.On(release.Test) || !h.Ends() {
			continue
		}
		if opts.Select == nil || opts.Select(h) {
			return nil
		}
		names = append(names, h.Name)
	}
	slices.Sort(names)
	switch {
	case len(names) > 0:
		return diag.Problem{Summary: "no test matches the filters", Detail: "the tests are " + strings.Join(names, ", ")}
	case opts.Require:
		return diag.Problem{
			Summary: fmt.Sprintf("release %s has no tests, and some are required", name),
			Detail:  "a test is a Job or Pod of the chart with the annotation helm.sh/hook: test",
		}
	}
	return nil
}
