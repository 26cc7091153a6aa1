package cli

import (
	"fmt"
	"path"
	"slices"
	"strings"
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
	f.StringSliceVar(&t.filters, prefix+"filter", nil, "tests to run: name=GLOB, suite=GLOB, or with ! before for those not to run (repeatable)")
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

// testFilter is one filter of tests.
type testFilter struct {
	exclude bool
	field   string
	glob    string
}

func (t testFilter) matches(h plan.Hook) bool {
	value := h.Name
	if t.field == "suite" {
		value = h.Steering.Suite
	}
	ok, _ := path.Match(t.glob, value) // the pattern was checked when it was read
	return ok
}

// testSelector makes a choice of filters: a test runs when it matches any of
// those that include, if there are some, and none of those that exclude.
func testSelector(filters []string) (func(plan.Hook) bool, error) {
	var include, exclude []testFilter
	for _, text := range filters {
		t, err := parseTestFilter(text)
		if err != nil {
			return nil, asUsage(err)
		}
		if t.exclude {
			exclude = append(exclude, t)
		} else {
			include = append(include, t)
		}
	}
	return func(h plan.Hook) bool {
		match := func(t testFilter) bool { return t.matches(h) }
		return (len(include) == 0 || slices.ContainsFunc(include, match)) && !slices.ContainsFunc(exclude, match)
	}, nil
}

func parseTestFilter(text string) (testFilter, error) {
	rest, exclude := strings.CutPrefix(text, "!")
	field, glob, found := strings.Cut(strings.TrimSpace(rest), "=")
	if !found || field != "name" && field != "suite" {
		return testFilter{}, fmt.Errorf("filter %q must be name=GLOB or suite=GLOB, with ! before it to exclude", text)
	}
	if _, err := path.Match(glob, ""); err != nil {
		return testFilter{}, fmt.Errorf("filter %q is not a pattern: %w", text, err)
	}
	return testFilter{exclude: exclude, field: field, glob: glob}, nil
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
	return opts, err
}
