package cli

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
)

// offline is a session without a cluster, for --dry-run=client.
func (a *app) offline(streams ui.Streams, opts ui.Options) *session {
	view := ui.NewView(streams, opts)
	return &session{
		app: a, view: view, silence: a.throughView(view), namespace: kube.ConfiguredNamespace(a.global.kube()),
		Service: &lifecycle.Service{Now: time.Now, Sink: view.Sink, Engine: engine.DefaultOptions()},
	}
}

// dryStatuses are those that Helm gives to the record of a dry run.
var dryStatuses = map[plan.Operation]release.Status{
	plan.Install: release.PendingInstall, plan.Upgrade: release.PendingUpgrade, plan.Rollback: release.PendingRollback,
}

// showDryRun writes what would have been done: for people the plan, and as in
// Helm the record with its hooks and manifest.
func (a *app) showDryRun(out *lifecycle.Outcome, opts ui.StatusOptions, secrets secretMode) error {
	r := out.Release.Clone()
	r.SetStatus(dryStatuses[out.Operation], "Dry run complete")
	if secrets != showSecrets {
		concealed := conceal(r, secrets)
		opts.Computed, _ = concealed.value(opts.Computed).(map[string]any)
	}
	if p := out.DryRun.Plan; p != nil && opts.Format == ui.Table {
		if err := a.showPlan(p); err != nil {
			return err
		}
	}
	opts.DryRun = true
	return ui.WriteStatus(a.streams.Out, r, opts)
}

// showPlan writes a plan, with reasons where more was asked for.
func (a *app) showPlan(p *plan.Plan) error {
	out, color := a.streams.Out, a.colorOut()
	if a.asHelm {
		out, color = a.streams.Err, a.colorErr()
	}
	if err := ui.WritePlan(out, p, ui.PlanOptions{Color: color, Reasons: a.global.debug}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

// computedValues are a record's values with the defaults of its chart.
func computedValues(r *release.Release) (map[string]any, error) {
	c, err := chart.Decode(r.Chart)
	if err != nil {
		return nil, err
	}
	return c.Coalesce(r.Config)
}
