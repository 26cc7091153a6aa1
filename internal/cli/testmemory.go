package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// memoryFlags are those of test that look at what earlier runs found out.
type memoryFlags struct {
	onlyFailed bool
	lastPass   bool
	maxAge     time.Duration
}

func (m *memoryFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&m.onlyFailed, "only-failed", false, "run only the tests that failed when they ran last")
	f.BoolVar(&m.lastPass, "require-last-pass", false, "run nothing: exit with 0 if the deployed revision has passed all its tests, else with 4")
	addMaxAge(f, &m.maxAge, "--require-last-pass")
}

func addMaxAge(f *pflag.FlagSet, to *time.Duration, with string) {
	f.DurationVar(to, "max-age", 0, "with "+with+": how long ago a test may have passed; 0 means any time")
}

func (m *memoryFlags) check(list bool) error {
	switch {
	case m.maxAge < 0:
		return asUsage(errors.New("--max-age must not be negative"))
	case m.maxAge > 0 && !m.lastPass:
		return asUsage(errors.New("--max-age has a meaning only with --require-last-pass"))
	case m.lastPass && (m.onlyFailed || list):
		return asUsage(errors.New("--require-last-pass runs no tests: it cannot be used with --only-failed or --list"))
	}
	return nil
}

// tested answers whether a release has passed its tests, without running any.
func (a *app) tested(ctx context.Context, name string, asked lifecycle.Evidence) error {
	p, err := a.readPast(ctx, name, revisionFlags{})
	if err != nil {
		return err
	}
	if p.record == nil {
		return &lifecycle.NoReleaseError{Name: name, Namespace: p.namespace}
	}
	if err := lifecycle.CheckTested(p.record, p.runs, time.Now(), asked); err != nil {
		return err
	}
	text := "has passed all its tests"
	if !hasTests(p.record) {
		text = "has no tests"
	}
	_, err = fmt.Fprintf(a.streams.Out, "Revision %d of release %q %s.\n", p.record.Revision, name, text)
	return err
}

// narrowToFailed leaves, of the tests that are chosen, those that failed when
// they ran last. It is false when there are none.
func (s *session) narrowToFailed(ctx context.Context, name string, tests *plan.TestOptions) (bool, error) {
	entries, err := s.Records.Index(ctx, name)
	if err != nil || len(entries) == 0 {
		return true, err // the run itself finds the words
	}
	revision := entries[len(entries)-1].Revision
	runs, err := s.app.ledger(s.client, s.records).Read(ctx, ledger.Wanted{Release: name, Revision: revision})
	if err != nil {
		return false, fmt.Errorf("reading the ledger of %s: %w", name, err)
	}
	failed := map[object.Key]bool{}
	for key, t := range ledger.Latest(ledger.TestRuns(runs)) {
		if t.Phase != release.PhaseSucceeded {
			failed[key] = true
		}
	}
	chosen := tests.Select
	tests.Select = func(h plan.Hook) bool {
		return failed[object.RefOf(h.Object).Key()] && (chosen == nil || chosen(h))
	}
	if len(failed) == 0 {
		_, err = fmt.Fprintf(s.app.streams.Out, "No test of revision %d of release %q failed when it ran last.\n", revision, name)
	}
	return len(failed) > 0, err
}

func newTestHistory(a *app) *cobra.Command {
	var output outputFlags
	limit := 20
	cmd := &cobra.Command{
		Use:   "history NAME",
		Short: "show earlier runs of a release's tests, and how each test fared",
		Args:  needs(1, 1, "the name of a release"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return asUsage(errors.New("--max must not be negative"))
			}
			r, err := a.read()
			if err != nil {
				return err
			}
			if _, err := r.record(cmd.Context(), args[0], 0); err != nil {
				return err
			}
			runs, err := a.ledger(r.client, r.records).Read(cmd.Context(), ledger.Wanted{Release: args[0]})
			if err != nil && runs == nil {
				return err
			}
			if err != nil {
				a.warn(err.Error())
			}
			tests := ledger.TestRuns(runs)
			if limit > 0 {
				tests = tests[max(0, len(tests)-limit):]
			}
			return ui.WriteTestHistory(a.streams.Out, tests, ui.TestHistoryOptions{
				Format: output.format.value, Color: a.colorOut(), Release: args[0], Namespace: r.namespace,
			})
		}),
		ValidArgsFunction: a.releaseName,
	}
	output.add(cmd.Flags())
	cmd.Flags().IntVar(&limit, "max", limit, "how many runs to show at most; 0 shows all")
	a.completeFlags(cmd)
	return cmd
}

// testedFlags are those of status that ask for a yes or no about the tests.
type testedFlags struct {
	passed bool
	maxAge time.Duration
}

func (t *testedFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&t.passed, "tests-passed", false, "show only whether the latest revision has passed all its tests; exit with 4 if it has not")
	addMaxAge(f, &t.maxAge, "--tests-passed")
}

// answerTested answers if that is what was asked for.
func (a *app) answerTested(ctx context.Context, name string, t *testedFlags) (done bool, err error) {
	switch {
	case t.maxAge < 0:
		return true, asUsage(errors.New("--max-age must not be negative"))
	case t.maxAge > 0 && !t.passed:
		return true, asUsage(errors.New("--max-age has a meaning only with --tests-passed"))
	case !t.passed:
		return false, nil
	}
	return true, a.tested(ctx, name, lifecycle.Evidence{MaxAge: t.maxAge})
}

// lastTests are the runs of a revision's tests, the latest last, as far as the
// ledger can be read.
func (a *app) lastTests(ctx context.Context, r *reading, rec *release.Release) []ledger.Run {
	if !hasTests(rec) {
		return nil
	}
	runs, err := a.ledger(r.client, r.records).Read(ctx, ledger.Wanted{Release: rec.Name, Revision: rec.Revision})
	if err != nil {
		a.warn("the last run of the tests cannot be shown in full: " + a.explain(err)[0].Summary)
	}
	var tests []ledger.Run
	for _, run := range runs {
		if run.IsTest() {
			tests = append(tests, run)
		}
	}
	return tests
}
