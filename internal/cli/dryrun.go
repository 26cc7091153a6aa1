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
		app: a, view: view, namespace: kube.ConfiguredNamespace(a.global.kube()),
		Service: &lifecycle.Service{Now: time.Now, Sink: view.Sink, Engine: engine.DefaultOptions()},
	}
}

// dryStatuses are those that Helm gives to the record of a dry run.
var dryStatuses = map[plan.Operation]release.Status{
	plan.Install: release.PendingInstall, plan.Upgrade: release.PendingUpgrade, plan.Rollback: release.PendingRollback,
}

// showDryRun writes what would have been done: for people the plan, and as in
// Helm the record with its hooks and manifest.
func (a *app) showDryRun(out *lifecycle.Outcome, opts ui.StatusOptions, hideSecret bool) error {
	r := out.Release.Clone()
	r.SetStatus(dryStatuses[out.Operation], "Dry run complete")
	if hideSecret {
		hideSecrets(r, out.DryRun.Rendered)
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
	if err := ui.WritePlan(a.streams.Out, p, ui.PlanOptions{Color: a.colorOut(), Reasons: a.global.debug}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.streams.Out)
	return err
}

// hidden is Helm's text in the place of a Secret.
const hidden = "# HIDDEN: The Secret output has been suppressed"

// hideSecrets takes the content of Secrets out of a record that is only shown,
// those that are hooks too.
func hideSecrets(r *release.Release, rendered *chart.Rendered) {
	if rendered != nil {
		r.Manifest = ""
		for _, d := range rendered.Documents {
			text := d.Text
			if isSecret(d.Object()) {
				text = hidden
			}
			r.Manifest += fmt.Sprintf("---\n# Source: %s\n%s\n", d.Source, text)
		}
	}
	for _, h := range r.Hooks {
		if h.Kind == "Secret" {
			h.Manifest = hidden
		}
	}
}

func isSecret(content map[string]any, err error) bool {
	return err == nil && content["kind"] == "Secret" && content["apiVersion"] == "v1"
}

// computedValues are a record's values with the defaults of its chart.
func computedValues(r *release.Release) (map[string]any, error) {
	c, err := chart.Decode(r.Chart)
	if err != nil {
		return nil, err
	}
	return c.Coalesce(r.Config)
}
