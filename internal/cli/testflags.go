package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/spf13/pflag"
)

// testFlags say how tests run.
type testFlags struct {
	filters  []string
	parallel int
	retries  int
	failFast bool
	cleanup  string
	require  bool
	reportFlags
}

// add declares the flags, with a prefix where they stand beside others.
func (t *testFlags) add(f *pflag.FlagSet, prefix string) {
	f.StringSliceVar(&t.filters, prefix+"filter", nil, "tests to run: name=GLOB, suite=GLOB, label=KEY=GLOB, or with ! before for those not to run (repeatable)")
	f.IntVar(&t.parallel, prefix+"parallel", 0, "how many tests of one weight may run at the same time")
	f.IntVar(&t.retries, prefix+"retries", 0, "how often a failed test is tried again")
	f.BoolVar(&t.failFast, prefix+"fail-fast", false, "start no other test once one has failed")
	f.Var(&choice{value: &t.cleanup, known: []string{string(plan.CleanupPassed), string(plan.CleanupAll)}}, prefix+"cleanup",
		"delete the objects of tests when all have run: passed or all (default: what the chart's delete policies say)")
	f.BoolVar(&t.require, "require-tests", false, "a release without tests is an error")
	t.reportFlags.add(f, prefix)
}

// plan are the options of the plan for tests.
func (t *testFlags) plan() (plan.TestOptions, error) {
	opts := plan.TestOptions{FailFast: t.failFast, Parallel: t.parallel, Retries: t.retries, Cleanup: plan.TestCleanup(t.cleanup), Require: t.require}
	switch {
	case t.parallel < 0:
		return opts, asUsage(fmt.Errorf("the number of tests at the same time must not be negative"))
	case t.retries < 0:
		return opts, asUsage(fmt.Errorf("the number of retries must not be negative"))
	case len(t.filters) == 0:
		return opts, nil
	}
	var err error
	opts.Select, err = testSelector(t.filters)
	return opts, err
}

// gateFlags are those of operations that may run tests before they count as
// done.
type gateFlags struct {
	testFlags
	run     bool
	timeout time.Duration
}

func (g *gateFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&g.run, "test", false, "run the chart's tests before the release counts as deployed; a failed test fails the operation")
	g.testFlags.add(f, "test-")
	f.DurationVar(&g.timeout, "test-timeout", 0, "limit for each test; 0 means that of --timeout")
}

// plan are the options of the plan for tests.
func (g *gateFlags) plan() (plan.TestOptions, error) {
	opts, err := g.testFlags.plan()
	opts.Run, opts.Timeout = g.run, g.timeout
	switch {
	case err != nil:
		return opts, err
	case g.timeout < 0:
		return opts, asUsage(fmt.Errorf("--test-timeout is %s: it must not be negative", g.timeout))
	case !g.run && g.wished():
		return opts, asUsage(errors.New("flags that begin with --test- and --require-tests need --test: without it no test would run"))
	}
	return opts, nil
}

// wished tells that something was said about how tests run, which would pass
// unnoticed for a gate that is not there.
func (g *gateFlags) wished() bool {
	return len(g.filters) > 0 || g.parallel > 0 || g.retries > 0 || g.failFast || g.cleanup != "" || g.require ||
		g.timeout > 0 || g.junitFile != "" || g.dir != ""
}
