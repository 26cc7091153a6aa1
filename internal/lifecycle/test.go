package lifecycle

import (
	"context"
	"fmt"
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
	Plan     plan.Options
}

// Test runs the tests of a release's deployed revision. A release without
// tests gives an outcome without runs and no error.
func (s *Service) Test(ctx context.Context, opts TestOptions) (*Outcome, error) {
	var in plan.Inputs
	if err := s.gathering(ctx, func(ctx context.Context) (err error) {
		in, err = s.gatherTest(ctx, opts)
		return err
	}); err != nil {
		return nil, err
	}
	p := plan.BuildTest(in)
	hard, cancel := s.untilAbort(ctx)
	defer cancel()
	e := s.newEngine()
	stop, late := s.stopBy(opts.Deadline)
	defer late.Stop()
	result := e.Run(hard, p, stop)
	out := &Outcome{Operation: p.Operation, Result: result, Release: written(e, in.Next)}
	if result.OK() {
		return out, nil
	}
	failed := failure(p, result)
	late.blame(failed, result)
	return out, failed
}

func (s *Service) gatherTest(ctx context.Context, opts TestOptions) (plan.Inputs, error) {
	in := plan.Inputs{Options: opts.Plan}
	h, err := s.history(ctx, opts.Name)
	if err != nil {
		return in, err
	}
	last := h.last()
	if last == nil {
		return in, &NoReleaseError{Name: opts.Name, Namespace: opts.Namespace}
	}
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
	in.Hooks = c.hooks
	in.Known = known([]content{c})
	return in, err
}
