package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/version"
)

// DeployOptions are the user's wishes for an install or an upgrade.
type DeployOptions struct {
	Name      string
	Namespace string
	// Chart is the reference as the user wrote it.
	Chart string
	// Open bounds what the chart may hold.
	Open   chart.OpenOptions
	Values chart.ValuesOptions
	// ValuesPolicy says what an upgrade does with the values of before.
	ValuesPolicy chart.ValuesPolicy
	// Render holds the wishes about rendering; what the operation itself knows
	// (release, values, capabilities, lookup) is filled in.
	Render            chart.RenderOptions
	AllowUnknownHooks bool
	RollbackOnFailure bool
	CleanupOnFail     bool
	// Deadline bounds the whole operation; 0 means none.
	Deadline time.Duration
	Recreate RecreateOptions
	// HistoryMax is how many revisions are kept; 0 keeps all.
	HistoryMax int
	Labels     map[string]string
	DryRun     DryRunMode
	// Preflight says whether what hooks and tests refer to is looked for.
	Preflight PreflightMode
	Plan      plan.Options
	// Install lets an upgrade of a release that does not exist install it.
	Install bool
	// SkipNoOp lets an upgrade that would change nothing do nothing: no hook
	// runs and no revision is written.
	SkipNoOp bool
	// Resume goes on with the latest revision when its run died and chart, values
	// and hooks are the same: hooks that had succeeded do not run again.
	Resume bool
	// Replace lets an install reuse the name of a release that failed or was
	// uninstalled with its history kept.
	Replace bool
}

// DryRunMode says how far an operation goes.
type DryRunMode int

// The modes of --dry-run.
const (
	// Run does it.
	Run DryRunMode = iota
	// DryRunClient renders without a cluster and stops.
	DryRunClient
	// DryRunServer gathers, checks and plans against the cluster, changes
	// nothing, and asks the API server what it would say to every object.
	DryRunServer
)

// DryRun is what would have been done.
type DryRun struct {
	// Plan is nil for DryRunClient.
	Plan     *plan.Plan
	Rendered *chart.Rendered
}

// Install installs a chart as a new release.
func (s *Service) Install(ctx context.Context, opts DeployOptions) (*Outcome, error) {
	return s.deploy(ctx, plan.Install, opts)
}

// Upgrade brings a release to a new revision, or, with opts.Install, installs
// one that does not exist.
func (s *Service) Upgrade(ctx context.Context, opts DeployOptions) (*Outcome, error) {
	return s.deploy(ctx, plan.Upgrade, opts)
}

func (s *Service) deploy(ctx context.Context, op plan.Operation, opts DeployOptions) (*Outcome, error) {
	return s.within(opts.Deadline, op, opts.Name, func(s *Service) (*Outcome, error) { return s.deployBounded(ctx, op, opts) })
}

func (s *Service) deployBounded(ctx context.Context, op plan.Operation, opts DeployOptions) (*Outcome, error) {
	d := &deployment{service: s, asked: op, op: op, opts: opts}
	if err := s.gathering(ctx, d.offline); err != nil {
		return nil, err
	}
	if opts.DryRun == DryRunClient {
		if err := s.gathering(ctx, d.renderOffline); err != nil {
			return nil, err
		}
		return &Outcome{Operation: d.op, Release: d.next, DryRun: &DryRun{Rendered: d.rendered}}, nil
	}
	return s.exclusively(ctx, opts.Name, op, opts.DryRun, func(s *Service) (*Outcome, error) {
		d.service = s
		return d.run(ctx)
	})
}

// run gathers what needs the cluster, plans, and runs the plan.
func (d *deployment) run(ctx context.Context) (*Outcome, error) {
	s, opts := d.service, d.opts
	if err := s.gathering(ctx, d.gather); err != nil {
		return nil, err
	}
	planned := s.phase("plan")
	p := plan.Build(d.op, d.inputs)
	planned()
	if opts.Resume {
		if p = d.goOn(p); p == nil {
			return d.afresh().run(ctx)
		}
	}
	if opts.SkipNoOp && nothingToDo(p, d.current, d.next) {
		return &Outcome{Operation: d.op, Release: d.current, NoOp: true}, nil
	}
	if err := s.checkAccess(ctx, p); err != nil {
		return nil, err
	}
	if opts.DryRun == DryRunServer {
		if err := s.gathering(ctx, func(ctx context.Context) error { return s.newEngine(d.inputs).Mask(s.rehearse(ctx, p)) }); err != nil {
			return nil, err
		}
		return &Outcome{Operation: d.op, Release: d.next, DryRun: &DryRun{Plan: p, Rendered: d.rendered}}, nil
	}
	return s.run(ctx, p, d.inputs, recovery{rollback: opts.RollbackOnFailure, cleanup: opts.CleanupOnFail, historyMax: opts.HistoryMax, recreate: opts.Recreate})
}

// deployment gathers the inputs of an install or an upgrade.
type deployment struct {
	service *Service
	op      plan.Operation
	// asked is the operation that the user named.
	asked plan.Operation
	opts  DeployOptions

	chart *chart.Chart
	// given are the user's values, values those of the revision.
	given, values map[string]any
	// resumed is the dead revision that is gone on with; nil for a new one.
	resumed  *resumption
	history  *history
	current  *release.Release
	catalog  *object.Catalog
	version  *version.Info
	rendered *chart.Rendered
	next     *release.Release
	inputs   plan.Inputs
}

// gather reads what the cluster holds, and renders and checks against it.
func (d *deployment) gather(ctx context.Context) error {
	if err := d.past(ctx); err != nil {
		return err
	}
	if err := d.render(ctx); err != nil {
		return err
	}
	return d.inspect(ctx)
}

// offline loads chart and values and checks the name.
func (d *deployment) offline(ctx context.Context) error {
	defer d.service.phase("read chart and values")()
	if err := release.ValidateName(d.opts.Name); err != nil {
		return err
	}
	var err error
	if d.chart, err = chart.Load(ctx, d.opts.Chart, d.opts.Open); err != nil {
		return err
	}
	d.service.warn(d.chart.Warnings()...)
	d.given, err = d.opts.Values.Merge(ctx)
	d.values = d.given
	return err
}

// afresh is the same wish without going on with a dead revision.
func (d *deployment) afresh() *deployment {
	opts := d.opts
	opts.Resume = false
	return &deployment{service: d.service, asked: d.asked, op: d.asked, opts: opts, chart: d.chart, given: d.given, values: d.given}
}

// past reads discovery and history, side by side, and settles what the
// operation is: an upgrade of nothing may be an install.
func (d *deployment) past(ctx context.Context) error {
	defer d.service.phase("read history and what is served")()
	var err, failed error
	d.history, failed = d.service.history(ctx, d.opts.Name)
	if d.catalog, d.version, err = d.service.discovery.wait(ctx); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return d.settle(ctx)
}

func (d *deployment) settle(ctx context.Context) error {
	resumed, err := d.resume(ctx)
	if err != nil {
		return err
	}
	if err := d.service.bury(ctx, d.history, d.op); err != nil {
		return err
	}
	if resumed {
		d.service.claim.note(d.op, d.history.next())
		return nil
	}
	last := d.history.last()
	d.service.claim.note(d.op, d.history.next())
	if last == nil || last.Status == release.Uninstalled {
		if d.op == plan.Upgrade && !d.opts.Install {
			return &NotDeployedError{Name: d.opts.Name, Problem: diag.Problem{
				Summary: fmt.Sprintf("there is no release %s in namespace %s", d.opts.Name, d.opts.Namespace),
				Detail:  "to install it when it does not exist, use upgrade --install",
			}}
		}
		if last != nil && d.op == plan.Install && !d.opts.Replace {
			return d.nameTaken(*last)
		}
		d.op = plan.Install
		return nil
	}
	if d.op == plan.Install {
		if d.opts.Replace && last.Status == release.Failed {
			return nil
		}
		if again, err := d.history.neverDeployed(ctx); again || err != nil {
			return err
		}
		return d.nameTaken(*last)
	}
	d.current, err = d.history.current(ctx)
	return err
}

func (d *deployment) nameTaken(last release.Entry) error {
	return &NameTakenError{Name: last.Name, Problem: diag.Problem{
		Summary: fmt.Sprintf("the name %s is taken in namespace %s: revision %d is %s", last.Name, d.opts.Namespace, last.Revision, last.Status),
		Detail:  "use `pintle upgrade` (or upgrade --install) to change that release, `pintle uninstall` to remove it, or another name",
	}}
}

// revision is the record to be, without status and description.
func (d *deployment) revision() (*release.Release, error) {
	encoded, err := d.rendered.Chart.Encode()
	if err != nil {
		return nil, err
	}
	now := d.service.Now()
	r := &release.Release{
		Name: d.opts.Name, Namespace: d.opts.Namespace, Revision: 1,
		Info:  release.Info{FirstDeployed: now, LastDeployed: now, Notes: d.rendered.Notes},
		Chart: encoded, Config: d.values, Manifest: d.rendered.Manifest,
		ApplyMethod: release.ServerSide, Labels: d.opts.Labels,
	}
	if d.history != nil {
		r.Revision = d.history.next()
	}
	if d.current != nil {
		r.Info.FirstDeployed = d.current.Info.FirstDeployed
		r.Labels = mergeLabels(d.current.Labels, d.opts.Labels)
	}
	return r, nil
}

// mergeLabels puts new labels over old ones; "null" takes one off, as in Helm.
func mergeLabels(old, more map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range old {
		out[k] = v
	}
	for k, v := range more {
		out[k] = v
		if v == "null" {
			delete(out, k)
		}
	}
	return out
}
