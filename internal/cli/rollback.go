package cli

import (
	"fmt"
	"strconv"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

// rollbackFlags are those of rollback.
type rollbackFlags struct {
	deployFlags
	logFlags
	gate    gateFlags
	cleanup bool
	// toPrevious is Helm's choice of a revision.
	toPrevious bool
	max        int
}

func newRollback(a *app) *cobra.Command {
	flags := rollbackFlags{max: a.global.historyMax}
	cmd := &cobra.Command{
		Use:   "rollback NAME [REVISION]",
		Short: "bring an earlier revision of a release back",
		Long: lines("Brings the content of an earlier revision back, as a new revision.",
			"", "Without a number, the last good revision before the current one is taken: one that was deployed.",
			"The pre- and post-rollback hooks of the revision that comes back run."),
		Args: needs(1, 2, "a release and, if you like, a revision"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error { return a.rollback(cmd, args, &flags) }),
	}
	f := cmd.Flags()
	flags.deployFlags.add(f, "auto")
	flags.logFlags.add(f)
	a.addLocking(f)
	a.addKeeping(f)
	a.addPatience(f)
	flags.gate.add(f)
	f.BoolVar(&flags.toPrevious, "to-previous", false, "go back to the revision before the current one, good or not, as Helm does")
	f.BoolVar(&flags.cleanup, "cleanup-on-fail", false, "after a failure, delete the objects that this rollback created")
	f.IntVar(&flags.max, "history-max", flags.max, "how many revisions are kept; 0 keeps all")
	a.completeRevision(cmd)
	a.completeFlags(cmd)
	return cmd
}

func (a *app) rollback(cmd *cobra.Command, args []string, flags *rollbackFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	opts := lifecycle.RollbackOptions{
		Name: args[0], ToPrevious: flags.toPrevious, Recreate: flags.anew(), Deadline: flags.deadline, CleanupOnFail: flags.cleanup, HistoryMax: flags.max, DryRun: flags.dryRun.mode, Plan: flags.plan(),
	}
	var err error
	if opts.Plan.Tests, err = flags.gate.plan(); err != nil {
		return err
	}
	if len(args) > 1 {
		if opts.Revision, err = parseRevision(args[1]); err != nil {
			return err
		}
	}
	a.warnFlags(&flags.deployFlags)
	s, err := a.operate(a.results(ui.Table), a.viewOptions(flags.logs.value))
	if err != nil {
		return err
	}
	opts.Namespace = s.namespace
	s.trace(cmd.Context(), opts.Name, opts.DryRun)
	var out *lifecycle.Outcome
	err = s.reporting(&flags.gate.reportFlags, ui.Table, func() (*lifecycle.Outcome, error) {
		out, err = s.Rollback(cmd.Context(), opts)
		return out, err
	})
	switch {
	case err != nil:
		return err
	case out.DryRun != nil:
		return together(a.showPlan(out.DryRun.Plan), a.says("", helmRolledBack))
	}
	r := out.Release
	return a.says(fmt.Sprintf("Release %q is back at revision %d, as revision %d.\n", r.Name, r.Info.RollbackRevision, r.Revision),
		helmRolledBack)
}

// helmRolledBack is what Helm says of a rollback, in a dry run too.
const helmRolledBack = "Rollback was a success! Happy Helming!\n"

// parseRevision reads a revision's number; 0 leaves the choice to us, as in Helm.
func parseRevision(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, asUsage(fmt.Errorf("%q is not the number of a revision", text))
	}
	return n, nil
}
