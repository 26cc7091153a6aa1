package lifecycle

import (
	"context"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/plan"
)

// TemplateOptions are the user's wishes for a chart that is only rendered.
type TemplateOptions struct {
	DeployOptions
	// Upgrade renders what an upgrade would.
	Upgrade bool
}

// Template renders a chart with what the cluster serves and holds, and asks the
// API server what it would say to every object. Whether there is a release of
// that name does not matter. Nothing is changed.
func (s *Service) Template(ctx context.Context, opts TemplateOptions) (*chart.Rendered, error) {
	d := &deployment{service: s, op: plan.Install, opts: opts.DeployOptions, history: &history{}}
	if opts.Upgrade {
		d.op = plan.Upgrade
	}
	err := s.gathering(ctx, func(ctx context.Context) error {
		if err := d.offline(ctx); err != nil {
			return err
		}
		var err error
		if d.catalog, d.version, err = s.Cluster.Discover(ctx); err != nil {
			return err
		}
		if err := d.render(ctx); err != nil {
			return err
		}
		return d.validate(ctx)
	})
	return d.rendered, err
}

// validate checks kinds, and every object with the API server. Odd annotations
// of hooks are not errors: nothing is going to run.
func (d *deployment) validate(ctx context.Context) error {
	r := d.reader()
	r.allowUnknown = true
	wanted := r.rendered(d.rendered)
	r.checkKinds(wanted, before[d.op])
	if err := r.problems.Err(); err != nil {
		return err
	}
	in := plan.Inputs{Next: d.next, Wanted: wanted.wanted, Hooks: wanted.hooks, Options: d.opts.Plan}
	return d.service.rehearse(ctx, plan.Build(plan.Install, in))
}
