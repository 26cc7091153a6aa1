package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newInstall(a *app) *cobra.Command {
	var flags chartFlags
	var naming nameFlags
	var replace bool
	cmd := &cobra.Command{
		Use:   "install [NAME] CHART",
		Short: "install a chart",
		Long: lines("Installs a chart, a folder or an archive (.tgz), as a new release.",
			"", "Everything that can be checked is checked before anything is touched.",
			"Then: crds/, pre-install hooks, the objects, the wait if asked for, post-install hooks, the tests if asked for."),
		Example: lines("  pintle install web ./web -n shop --create-namespace -f values.yaml --set image.tag=1.2",
			"  pintle install web ./web --wait --test --rollback-on-failure"),
		Args: needs(1, 2, "a name and a chart"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			name, chart, err := naming.nameAndChart(args, "", time.Now())
			if err != nil {
				return err
			}
			return a.deploy(cmd.Context(), &flags, deployRun{name: name, chart: chart,
				do: func(ctx context.Context, s *lifecycle.Service, opts lifecycle.DeployOptions) (*lifecycle.Outcome, error) {
					opts.Replace = replace
					return s.Install(ctx, opts)
				}})
		}),
	}
	f := cmd.Flags()
	flags.add(f, "true")
	flags.source.add(f, a.env)
	flags.source.addUpdate(f)
	a.addLocking(f)
	a.addKeeping(f)
	a.addPatience(f)
	naming.add(f)
	f.BoolVar(&replace, "replace", false, "use the name of a release that failed or was uninstalled with its history kept")
	a.completeInstall(cmd, &naming)
	a.completeFlags(cmd)
	return cmd
}

// deployRun is what differs between install and upgrade.
type deployRun struct {
	name, chart string
	// upgrade tells that upgrade was asked for, which may become an install.
	upgrade bool
	do      func(context.Context, *lifecycle.Service, lifecycle.DeployOptions) (*lifecycle.Outcome, error)
}

// deploy runs an install or an upgrade and shows what came of it.
func (a *app) deploy(ctx context.Context, flags *chartFlags, run deployRun) error {
	if err := flags.check(); err != nil {
		return err
	}
	if err := release.ValidateName(run.name); err != nil {
		return err // before a cluster is looked for
	}
	opts, err := flags.options(a.streams.In, a.env)
	if err != nil {
		return err
	}
	if a.asHelm && run.upgrade && opts.DryRun == lifecycle.DryRunClient {
		// Helm's says client, and reads the release from the cluster all the same.
		flags.dryRun.mode, opts.DryRun = lifecycle.DryRunServer, lifecycle.DryRunServer
	}
	opts.Open, opts.Values.Fetch = a.from(opts.Open, &flags.source)
	a.warnFlags(&flags.deployFlags)
	output := flags.format.value
	s, err := a.prepare(flags, output)
	if err != nil {
		return err
	}
	opts.Name, opts.Chart, opts.Namespace = run.name, run.chart, s.namespace
	s.trace(ctx, run.name, opts.DryRun)
	var out *lifecycle.Outcome
	err = s.reporting(&flags.gate.reportFlags, output, func() (*lifecycle.Outcome, error) {
		out, err = run.do(ctx, s.Service, opts)
		return out, err
	})
	if err != nil {
		return a.failedDeploy(err, out, output)
	}
	return a.showDeployed(out, flags, run)
}

// prepare opens a session: with a cluster, unless a dry run needs none.
func (a *app) prepare(flags *chartFlags, output ui.Format) (*session, error) {
	streams, opts := a.results(output), a.viewOptions(flags.logs.value)
	if flags.dryRun.mode == lifecycle.DryRunClient {
		return a.offline(streams, opts), nil
	}
	return a.operate(streams, opts)
}

// warnFlags tells of flags that have no effect as they were given.
func (a *app) warnFlags(d *deployFlags) {
	if d.dryRun.old {
		a.warn("--dry-run is no boolean any more: use --dry-run=" + d.dryRun.String())
	}
	if d.jobs && !d.mode.wanted() {
		a.warn("--wait-for-jobs has no effect without --wait")
	}
}

// showDeployed writes the result of an install or an upgrade.
func (a *app) showDeployed(out *lifecycle.Outcome, flags *chartFlags, run deployRun) error {
	opts := ui.StatusOptions{
		Format: flags.format.value, Color: a.colorOut(), HideNotes: flags.hideNotes, Sources: a.global.debug, Whole: true,
	}
	if opts.Sources {
		values, err := computedValues(out.Release)
		if err != nil {
			return err
		}
		opts.Computed = values
	}
	r := out.Release
	if err := a.greet(out, flags, run); err != nil {
		return err
	}
	if out.DryRun != nil {
		return a.showDryRun(out, opts, flags.secrets)
	}
	if out.Result != nil && !a.asHelm {
		opts.Runs = out.Result.Runs
	}
	if out.NoOp && opts.Format == ui.Table && !a.asHelm {
		return nil
	}
	if opts.Format == ui.Table && opts.Sources {
		r = r.Clone()
		opts.Computed, _ = conceal(r, maskSecrets).value(opts.Computed).(map[string]any)
	}
	return ui.WriteStatus(a.streams.Out, r, opts)
}

// greet writes the sentence that comes before a release's status.
func (a *app) greet(out *lifecycle.Outcome, flags *chartFlags, run deployRun) error {
	if flags.format.value != ui.Table {
		return nil
	}
	r := out.Release
	helms := ""
	switch {
	case out.Operation == plan.Install && run.upgrade:
		helms = fmt.Sprintf("Release %q does not exist. Installing it now.\n", r.Name)
	case run.upgrade:
		helms = fmt.Sprintf("Release %q has been upgraded. Happy Helming!\n", r.Name)
	}
	done := map[plan.Operation]string{plan.Install: "installed", plan.Upgrade: "upgraded"}[out.Operation]
	ours := fmt.Sprintf("Release %q has been %s.\n", r.Name, done)
	switch {
	case out.DryRun != nil:
		ours = ""
	case out.NoOp:
		ours = fmt.Sprintf("Release %q is as it should be at revision %d; nothing was done.\n", r.Name, r.Revision)
	}
	return a.says(ours, helms)
}

// failedDeploy writes the record as it is after a failure, where a program
// reads the result: the error itself goes to the error stream.
func (a *app) failedDeploy(err error, out *lifecycle.Outcome, output ui.Format) error {
	if out == nil || out.Release == nil || output == ui.Table || a.asHelm {
		return err
	}
	return together(err, ui.WriteStatus(a.streams.Out, out.Release, ui.StatusOptions{Format: output}))
}
