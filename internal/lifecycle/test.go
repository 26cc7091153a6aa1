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
	return s.exclusively(ctx, opts.Name, plan.Test, opts.DryRun, func(s *Service) (*Outcome, error) {
		return s.test(ctx, opts)
	})
}

func (s *Service) test(ctx context.Context, opts TestOptions) (*Outcome, error) {
	var in plan.Inputs
	if err := s.gathering(ctx, func(ctx context.Context) (err error) {
		in, err = s.gatherTest(ctx, opts)
		return err
	}); err != nil {
		return nil, err
	}
	return s.carryOut(ctx, plan.BuildTest(in), in, opts.DryRun, opts.Deadline)
}

func (s *Service) gatherTest(ctx context.Context, opts TestOptions) (plan.Inputs, error) {
	in := plan.Inputs{Options: opts.Plan}
	in.Options.Tests.Run = true
	h, err := s.history(ctx, opts.Name)
	if err != nil {
		return in, err
	}
	last := h.last()
	if last == nil {
		return in, &NoReleaseError{Name: opts.Name, Namespace: opts.Namespace}
	}
	if err := s.bury(ctx, h, plan.Test); err != nil {
		return in, err
	}
	s.claim.note(plan.Test, last.Revision)
	if last.Status != release.Deployed {
		return in, diag.Problem{
			Summary: fmt.Sprintf("release %s cannot be tested: revision %d is %s", opts.Name, last.Revision, last.Status),
			Detail:  "tests check a release whose latest revision is deployed",
		}
	}
	if in.Next, err = h.get(ctx, last.Revision); err != nil {
		return in, err
	}
	catalog, _, err := s.Cluster.Discover(ctx)
	if err != nil {
		return in, err
	}
	r := &reader{release: opts.Name, namespace: opts.Namespace, catalog: catalog}
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
