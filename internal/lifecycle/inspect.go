package lifecycle

import (
	"context"
	"fmt"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// renderOffline renders as `template` does, for --dry-run=client.
func (d *deployment) renderOffline(ctx context.Context) error {
	caps, err := chart.OfflineCapabilities("")
	if err != nil {
		return err
	}
	opts := d.opts.Render
	opts.Release = chart.ReleaseOptions{Name: d.opts.Name, Namespace: d.opts.Namespace, Revision: 1, Upgrade: d.op == plan.Upgrade}
	opts.Values, opts.Capabilities = d.values, caps
	if d.rendered, err = chart.Render(ctx, d.chart, opts); err != nil {
		return err
	}
	d.next, err = d.revision()
	if err != nil {
		return err
	}
	r := d.reader()
	c := r.rendered(d.rendered)
	for _, h := range c.hooks {
		d.next.Hooks = append(d.next.Hooks, h.Hook)
	}
	d.service.warn(r.problems.Warnings()...)
	return r.problems.Err()
}

// render renders the chart once, with what the cluster serves and what crds/
// is going to add.
func (d *deployment) render(ctx context.Context) error {
	defer d.service.phase("render")()
	c, values := d.chart, d.values
	var oldDefaults map[string]any
	if d.current != nil {
		old, err := chart.Decode(d.current.Chart)
		if err != nil {
			return err
		}
		oldDefaults = old.Defaults()
		previous := chart.Previous{Chart: old, Config: d.current.Config}
		if c, values, err = chart.CarryOver(c, values, previous, d.opts.ValuesPolicy); err != nil {
			return err
		}
	}
	d.values = values
	if d.current != nil {
		d.tellValues(d.current.Config, oldDefaults)
	}
	if d.opts.Plan.CRDs != plan.SkipCRDs {
		crds, err := crdObjects(c.CRDs())
		if err != nil {
			return err
		}
		d.catalog = d.catalog.With(bring(crds)...)
	}
	opts := d.opts.Render
	opts.Release = chart.ReleaseOptions{
		Name: d.opts.Name, Namespace: d.opts.Namespace, Revision: d.history.next(), Upgrade: d.op == plan.Upgrade,
	}
	opts.Values, opts.Lookup = values, d.service.Cluster
	opts.Capabilities = chart.Capabilities{
		KubeVersion: d.version.GitVersion, Major: d.version.Major, Minor: d.version.Minor, APIVersions: d.catalog.APIVersions(),
	}
	var err error
	if d.rendered, err = chart.Render(ctx, c, opts); err != nil {
		return err
	}
	d.next, err = d.revision()
	return err
}

func (d *deployment) reader() *reader {
	r := &reader{release: d.opts.Name, namespace: d.opts.Namespace, catalog: d.catalog, allowUnknown: d.opts.AllowUnknownHooks}
	if r.catalog == nil {
		r.catalog = object.NewCatalog(nil)
	}
	return r
}

// inspect parses what was rendered and recorded, reads what is live, and makes
// every check, so that nothing is touched before all of them have passed.
func (d *deployment) inspect(ctx context.Context) error {
	defer d.service.phase("read what is live, and check")()
	r := d.reader()
	wanted := r.rendered(d.rendered)
	for _, h := range wanted.hooks {
		d.next.Hooks = append(d.next.Hooks, h.Hook)
	}
	r.checkKinds(wanted, before[d.op])
	r.checkTwice(wanted)
	r.checkShared(wanted)
	if err := r.problems.Err(); err != nil {
		return err
	}
	if err := d.fit(); err != nil {
		return err
	}
	for _, name := range plan.UnmatchedOverrides(d.opts.Plan.Hooks, wanted.hooks) {
		r.problems.Errorf("--hook %s: the chart has no hook or test of that name", name)
	}
	in := plan.Inputs{Next: d.next, Wanted: wanted.wanted, Hooks: wanted.hooks, Options: d.opts.Plan}
	if err := checkTests(d.opts.Name, in); err != nil {
		return err
	}
	if err := d.recorded(ctx, r, &in); err != nil {
		return err
	}
	var err error
	if in.CRDs, err = crdObjects(d.rendered.CRDs); err != nil {
		return err
	}
	if in.Live, err = d.service.Cluster.Snapshot(ctx, refs(in.Wanted, in.Recorded, in.CRDs)); err != nil {
		return err
	}
	if err := d.checkNamespace(ctx, &in); err != nil {
		return err
	}
	if err := r.checkOtherNamespaces(ctx, d.service, wanted, before[d.op]); err != nil {
		return err
	}
	if err := d.checkCRDs(ctx, r, in); err != nil {
		return err
	}
	if !d.opts.Plan.TakeOwnership {
		r.checkOwners(wanted, in.Live, in.Recorded)
	}
	if err := r.checkImmutable(ctx, d.service, &in, d.opts.Recreate); err != nil {
		return err
	}
	if err := d.preflight(ctx, r, in); err != nil {
		return err
	}
	d.service.warn(r.problems.Warnings()...)
	d.inputs = in
	return r.problems.Err()
}

// fit makes sure that the record can be stored, leaving the chart's templates
// out of one that is too big.
func (d *deployment) fit() error {
	if err := d.service.Records.Accept(d.next); err != nil {
		return err
	}
	fitted, warnings, err := release.Fit(d.next, d.service.Records.Capacity())
	if err != nil {
		return err
	}
	d.service.warn(warnings...)
	d.next.Chart = fitted.Chart // the hooks stay the ones that the plan knows
	return nil
}

// recorded fills in what earlier revisions left in the cluster and in the history.
func (d *deployment) recorded(ctx context.Context, r *reader, in *plan.Inputs) error {
	if err := d.service.left(ctx, d.history, r, in, d.opts.HistoryMax); err != nil {
		return err
	}
	if d.resumed != nil {
		d.resumed.joined(in)
	}
	return nil
}

// checkNamespace makes sure that the namespace is there, or is going to be.
func (d *deployment) checkNamespace(ctx context.Context, in *plan.Inputs) error {
	if d.service.claim.lock() != nil { // our lock is in it: no right to read namespaces is needed
		in.Options.CreateNamespace = false
		return nil
	}
	_, err := d.service.Cluster.Get(ctx, object.Ref{Version: "v1", Kind: "Namespace", Name: d.opts.Namespace})
	switch {
	case apierrors.IsNotFound(err) && !d.opts.Plan.CreateNamespace:
		for _, w := range in.Wanted {
			if ref := w.Ref(); ref.Is("", "Namespace") && ref.Name == d.opts.Namespace {
				return fmt.Errorf("namespace %s is part of the chart, and the release's record must be stored in it first: use --create-namespace, or create it", ref.Name)
			}
		}
		return diag.Problem{
			Summary: fmt.Sprintf("namespace %s does not exist", d.opts.Namespace),
			Detail:  "use --create-namespace, or create it first",
		}
	case apierrors.IsNotFound(err):
		return nil
	case apierrors.IsForbidden(err): // not everyone who may deploy may read namespaces
	case err != nil:
		return err
	default:
		in.Options.CreateNamespace = false
	}
	return nil
}
