package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
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
	outputFlags
	timeout, deadline time.Duration
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

		ValidArgsFunction: a.releaseNames,
	}
	f := cmd.Flags()
	flags.testFlags.add(f, "")
	flags.logFlags.add(f)
	flags.outputFlags.add(f)
	f.DurationVar(&flags.timeout, "timeout", defaultTimeout, "limit for each test; 0 means none")
	addDeadline(f, &flags.deadline)
	a.completeFlags(cmd)
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
	output := flags.format.value
	s, err := a.operate(a.results(output), a.viewOptions(flags.logs.value))
	if err != nil {
		return err
	}
	out, err := s.Test(cmd.Context(), lifecycle.TestOptions{
		Name: name, Namespace: s.namespace, Deadline: flags.deadline, Plan: plan.Options{Timeout: flags.timeout, Strict: true, Tests: tests},
	})
	s.end()
	if out == nil {
		return err
	}
	return errors.Join(err, a.showTests(out, flags), noneMatched(out, tests))
}

// showTests writes what came of the tests.
func (a *app) showTests(out *lifecycle.Outcome, flags *testRunFlags) error {
	if flags.format.value != ui.Table {
		return ui.WriteTestResult(a.streams.Out, ui.TestRun{Release: out.Release, Plan: out.Plan, Runs: out.Result.Runs}, flags.format.value)
	}
	if len(testNames(out.Release)) == 0 {
		_, err := fmt.Fprintf(a.streams.Out, "Release %q has no tests.\n", out.Release.Name)
		return err
	}
	return ui.WriteStatus(a.streams.Out, out.Release, ui.StatusOptions{
		Format: ui.Table, Color: a.colorOut(), HideNotes: true, Runs: out.Result.Runs,
	})
}

// noneMatched is an error when filters left no test of those that there are.
func noneMatched(out *lifecycle.Outcome, tests plan.TestOptions) error {
	names := testNames(out.Release)
	if tests.Select == nil || len(names) == 0 || len(out.Result.Runs) > 0 {
		return nil
	}
	return &lifecycle.Refused{Err: diag.Problem{
		Summary: "no test matches the filters", Detail: "the tests are " + strings.Join(names, ", "),
	}}
}

func testNames(r *release.Release) []string {
	var names []string
	for _, h := range r.Hooks {
		if h.On(release.Test) {
			names = append(names, h.Name)
		}
	}
	slices.Sort(names)
	return names
}
