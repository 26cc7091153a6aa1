package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

// testRunFlags are those of test.
type testRunFlags struct {
	testFlags
	logFlags
	memory            memoryFlags
	format            resultFormat
	timeout, deadline time.Duration
	list              bool
}

func newTest(a *app) *cobra.Command {
	var flags testRunFlags
	cmd := &cobra.Command{
		Use:   "test NAME",
		Short: "run the tests of a release",
		Long: lines("Runs the tests of a deployed release: the chart's objects whose helm.sh/hook is test.",
			"", "All tests run, even when one fails; the exit code is 4 when any has failed."),
		Example: lines("  pintle test web -n shop --logs", "  pintle test web --filter 'name=web-*' --filter '!name=web-slow' --parallel 4"),
		Args:    needs(1, 1, "the name of a release"),
		RunE:    a.run(func(cmd *cobra.Command, args []string) error { return a.test(cmd, args[0], &flags) }),

		ValidArgsFunction: a.releaseName,
	}
	f := cmd.Flags()
	flags.testFlags.add(f, "")
	flags.logFlags.add(f)
	a.addLocking(f)
	a.addKeeping(f)
	a.addPatience(f)
	flags.format.value = ui.Block
	f.VarP(&flags.format, "output", "o", "form of the result: "+strings.Join(ui.ResultFormats(), ", "))
	f.DurationVar(&flags.timeout, "timeout", defaultTimeout, "limit for each test; 0 means none")
	addDeadline(f, &flags.deadline)
	flags.memory.add(f)
	f.BoolVar(&flags.list, "list", false, "run nothing and list the tests that would run")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(ui.ResultFormats(), cobra.ShellCompDirectiveNoFileComp))
	a.completeFlags(cmd)
	history := newTestHistory(a)
	history.DisableFlagsInUseLine = true
	cmd.AddCommand(history)
	return cmd
}

func (a *app) test(cmd *cobra.Command, name string, flags *testRunFlags) error {
	tests, err := flags.testFlags.plan()
	if err != nil {
		return err
	}
	if err := checkTimes(flags.timeout, flags.deadline); err != nil {
		return err
	}
	if err := flags.memory.check(flags.list); err != nil {
		return err
	}
	if flags.memory.lastPass {
		return a.tested(cmd.Context(), name, lifecycle.Evidence{MaxAge: flags.memory.maxAge, Require: tests.Require})
	}
	output := flags.format.value
	if flags.list && output == ui.JUnit {
		return asUsage(errors.New("--list cannot be written as junit: nothing is run"))
	}
	s, err := a.operate(a.results(output), a.viewOptions(flags.logs.value))
	if err != nil {
		return err
	}
	if flags.memory.onlyFailed {
		if some, err := s.narrowToFailed(cmd.Context(), name, &tests); !some || err != nil {
			s.end()
			return err
		}
	}
	opts := lifecycle.TestOptions{
		Name: name, Namespace: s.namespace, Deadline: flags.deadline, Plan: plan.Options{Timeout: flags.timeout, Strict: true, Tests: tests},
	}
	if flags.list {
		opts.DryRun = lifecycle.DryRunServer
	}
	s.trace(cmd.Context(), name, opts.DryRun)
	var out *lifecycle.Outcome
	err = s.reporting(&flags.reportFlags, output, func() (*lifecycle.Outcome, error) {
		out, err = s.Test(cmd.Context(), opts)
		return out, err
	})
	if out == nil {
		return err
	}
	if a.asHelm && output == ui.Block && !flags.list {
		return together(err, a.showHelmTests(out, flags.logs.value))
	}
	return together(err, a.showTests(out, output))
}

// showHelmTests writes what Helm does: its block of tests and, if asked for,
// the logs of those that are Pods.
func (a *app) showHelmTests(out *lifecycle.Outcome, logs ui.LogMode) error {
	err := ui.WriteStatus(a.streams.Out, out.Release, ui.StatusOptions{Format: ui.Table, Color: a.colorOut(), HideNotes: true})
	if err != nil || logs != ui.LogsAlways || out.Result == nil {
		return err
	}
	return ui.WritePodLogs(a.streams.Out, out.Result.Runs)
}

// showTests writes what came of the tests, or which there are.
func (a *app) showTests(out *lifecycle.Outcome, output ui.Format) error {
	switch {
	case output.ForPeople() && !hasTests(out.Release):
		_, err := fmt.Fprintf(a.streams.Out, "Release %q has no tests.\n", out.Release.Name)
		return err
	case out.DryRun != nil && output == ui.Block:
		return ui.WriteTestList(a.streams.Out, out.DryRun.Plan, ui.Table)
	case out.DryRun != nil:
		return ui.WriteTestList(a.streams.Out, out.DryRun.Plan, output)
	case output != ui.Block:
		return ui.WriteTestResult(a.streams.Out, testRun(out), output)
	}
	return ui.WriteStatus(a.streams.Out, out.Release, ui.StatusOptions{
		Format: ui.Table, Color: a.colorOut(), HideNotes: true, Runs: out.Result.Runs,
	})
}

func hasTests(r *release.Release) bool {
	return slices.ContainsFunc(r.Hooks, func(h *release.Hook) bool { return h.On(release.Test) })
}
