package cli

import (
	"context"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/spf13/cobra"
)

// reuseFlags say what an upgrade does with the values of before. The first
// that is set counts, as in Helm.
type reuseFlags struct{ reset, reuse, resetThenReuse bool }

func (r reuseFlags) policy() chart.ValuesPolicy {
	switch {
	case r.reset:
		return chart.ResetValues
	case r.reuse:
		return chart.ReuseValues
	case r.resetThenReuse:
		return chart.ResetThenReuseValues
	}
	return chart.KeepIfNone
}

func newUpgrade(a *app) *cobra.Command {
	var flags chartFlags
	var reuse reuseFlags
	var install, cleanup, resume bool
	noOp := noOpMode("run")
	historyMax := a.global.historyMax
	cmd := &cobra.Command{
		Use:   "upgrade NAME CHART",
		Short: "upgrade a release",
		Long: lines("Brings a release to a new revision: of another chart, of other values, or of both.",
			"", "When no values are given, those of the revision before are kept; when any are, they are dropped,",
			"unless --reuse-values or --reset-then-reuse-values says otherwise."),
		Example: lines("  pintle upgrade web ./web -n shop --set image.tag=1.3 --wait --rollback-on-failure",
			"  pintle upgrade --install web ./web -n shop --create-namespace"),
		Args: needs(2, 2, "a name and a chart"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.deploy(cmd.Context(), &flags, deployRun{name: args[0], chart: args[1], upgrade: true,
				do: func(ctx context.Context, s *lifecycle.Service, opts lifecycle.DeployOptions) (*lifecycle.Outcome, error) {
					opts.Install, opts.CleanupOnFail, opts.HistoryMax, opts.Resume = install, cleanup, historyMax, resume
					opts.ValuesPolicy, opts.SkipNoOp = reuse.policy(), noOp == "skip"
					return s.Upgrade(ctx, opts)
				}})
		}),
	}
	f := cmd.Flags()
	flags.add(f, "auto")
	flags.source.add(f, a.env)
	flags.source.addUpdate(f)
	a.addLocking(f)
	a.addKeeping(f)
	a.addPatience(f)
	f.BoolVarP(&install, "install", "i", false, "install the chart if there is no release of that name")
	f.Var(&noOp, "no-op", "what to do when the upgrade would change nothing: run it all the same, as Helm does, or skip it")
	f.BoolVar(&resume, "resume", false, "go on with a revision whose run died, if chart, values and hooks are the same: hooks that had succeeded do not run again")
	f.BoolVar(&cleanup, "cleanup-on-fail", false, "after a failure, delete the objects that this upgrade created")
	f.IntVar(&historyMax, "history-max", historyMax, "how many revisions are kept; 0 keeps all")
	f.BoolVar(&reuse.reset, "reset-values", false, "start from the chart's own values")
	f.BoolVar(&reuse.reuse, "reuse-values", false, "start from the values of the revision before")
	f.BoolVar(&reuse.resetThenReuse, "reset-then-reuse-values", false, "start from the chart's own values, with those given before on top")
	a.completeReleaseThenChart(cmd)
	a.completeFlags(cmd)
	return cmd
}
