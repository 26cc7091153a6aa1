package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

// lintFlags are those of lint; names and meaning are Helm's where it has them.
type lintFlags struct {
	templateFlags
	outputFlags
	strict, quiet bool
	subcharts     bool
	timeout       time.Duration
}

func newLint(a *app) *cobra.Command {
	var flags lintFlags
	cmd := &cobra.Command{
		Use:   "lint CHART...",
		Short: "find what is wrong, or will be, with charts",
		Long: lines("Renders charts without a cluster and tells, with file and line, what an install would refuse or what will fail later:",
			"what `helm lint` finds, annotations that mean nothing, hooks and tests that refer to what comes only after them, names that change at each rendering,",
			"deadlines that contradict each other. Notes name what must be in the cluster before.",
			"", "The exit code is 1 when a chart has an error; with --strict, a warning too."),
		Example: "  pintle lint ./web -f values.yaml --strict",
		Args:    needs(1, -1, "a chart"),
		RunE:    a.run(func(cmd *cobra.Command, args []string) error { return a.lint(cmd.Context(), args, &flags) }),

		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault // paths
		},
	}
	f := cmd.Flags()
	flags.valuesFlags.add(f)
	flags.renderFlags.add(f)
	flags.outputFlags.add(f)
	f.BoolVar(&flags.strict, "strict", false, "fail on warnings too")
	f.BoolVar(&flags.subcharts, "with-subcharts", false, "look at the charts in charts/, too")
	f.BoolVar(&flags.quiet, "quiet", false, "show only warnings and errors")
	addTimeout(f, &flags.timeout)
	f.StringVar(&flags.kubeVersion, "kube-version", "", "the Kubernetes version that templates see")
	f.StringSliceVarP(&flags.apiVersions, "api-versions", "a", nil, "further API versions that templates see (repeatable)")
	a.completeFlags(cmd)
	return cmd
}

// lint looks at each chart, whatever is wrong with the others.
func (a *app) lint(ctx context.Context, refs []string, flags *lintFlags) error {
	if flags.timeout < 0 {
		return checkTimes(flags.timeout, 0)
	}
	given, err := flags.merged(ctx, a)
	if err != nil {
		return err
	}
	if flags.subcharts {
		refs = withSubcharts(refs)
	}
	if a.asHelm {
		return a.lintAsHelm(ctx, refs, flags, given)
	}
	var reports []ui.LintReport
	failed := 0
	for _, ref := range refs {
		found, err := a.lintOne(ctx, ref, flags, given)
		if err != nil {
			return err
		}
		r := ui.LintReport{Chart: ref, Problems: found}
		if flags.quiet {
			r.Problems = append(r.Problems.Errors(), warningsOnly(r.Problems)...)
		}
		r.Failed = len(r.Problems.Errors()) > 0 || flags.strict && len(warningsOnly(r.Problems)) > 0
		if r.Failed {
			failed++
		}
		reports = append(reports, r)
	}
	if err := ui.WriteLint(a.streams.Out, reports, ui.ListOptions{Format: flags.format.value, Color: a.colorOut()}); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d charts failed", failed, len(refs))
	}
	return nil
}

// withSubcharts adds, after each chart that is a folder, the charts that lie
// somewhere in its charts/.
func withSubcharts(refs []string) []string {
	var all []string
	for _, ref := range refs {
		all = append(all, ref)
		// What cannot be read is told when its chart is looked at.
		_ = filepath.WalkDir(filepath.Join(ref, "charts"), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.Name() == "Chart.yaml":
				all = append(all, filepath.Dir(path))
			case strings.HasSuffix(path, ".tgz"), strings.HasSuffix(path, ".tar.gz"):
				all = append(all, path)
			}
			return nil
		})
	}
	return all
}

func warningsOnly(l diag.List) diag.List {
	var out diag.List
	for _, p := range l {
		if p.Severity == diag.Warning {
			out.Add(p)
		}
	}
	return out
}

// lintOne renders a chart twice and looks at it. An error is a rendering that
// goes on in the background, so that no other should begin.
func (a *app) lintOne(ctx context.Context, ref string, flags *lintFlags, given userValues) (diag.List, error) {
	c, err := chart.Read(ctx, ref, given.open)
	if err != nil {
		return problemsOf(err), nil
	}
	rendered, err := a.renderQuietly(ctx, c, flags, given)
	var runaway *chart.Runaway
	if errors.As(err, &runaway) {
		return nil, err
	}
	var found diag.List
	messages, failed := c.Lint(ctx, ref, a.helmLint(flags, given, err != nil))
	if failed != nil {
		return nil, failed
	}
	for _, m := range messages {
		found.Add(m.Problem)
	}
	if err != nil {
		return append(problemsOf(err), found...), nil
	}
	opts := lifecycle.LintOptions{Name: templateName, Namespace: rendered.namespace, Plan: plan.Options{Timeout: flags.timeout}}
	if again, err := a.renderQuietly(ctx, c, flags, given); err == nil {
		opts.Again = again.Rendered
	}
	return slices.Concat(rendered.Warnings, lifecycle.Lint(rendered.Rendered, opts), found), nil
}

// userValues are what the user gave, with how to open and render, read once: standard input has no second time.
type userValues struct {
	open   chart.OpenOptions
	render chart.RenderOptions
}

func (l *lintFlags) merged(ctx context.Context, a *app) (userValues, error) {
	open, render, err := l.rendering(a.env)
	if err != nil {
		return userValues{}, err
	}
	values := l.values(a.streams.In)
	values.Limits, render.ValueSource = open.Limits, values.Where
	_, values.Fetch = a.from(open, &sourceFlags{})
	render.Values, err = values.Merge(ctx)
	return userValues{open, render}, err
}

// offlineChart is a chart as it renders without a cluster.
type offlineChart struct {
	*chart.Rendered
	namespace string
}

// renderQuietly renders as an install would, and leaves the chart's warnings to
// the caller.
func (a *app) renderQuietly(ctx context.Context, c *chart.Chart, flags *lintFlags, given userValues) (*offlineChart, error) {
	opts := given.render
	var err error
	if opts.Capabilities, err = chart.OfflineCapabilities(flags.kubeVersion, flags.apiVersions...); err != nil {
		return nil, err
	}
	namespace := a.namespaceOrDefault()
	opts.Release = chart.ReleaseOptions{Name: templateName, Namespace: namespace, Revision: 1}
	rendered, err := chart.Render(ctx, c, opts)
	if err != nil {
		return nil, err
	}
	return &offlineChart{rendered, namespace}, nil
}

// problemsOf are the problems in an error, or the error as one.
func problemsOf(err error) diag.List {
	if found := diag.Problems(err); len(found) > 0 {
		return found
	}
	var p diag.Problem
	if errors.As(err, &p) {
		return diag.List{p}
	}
	return diag.List{{Summary: err.Error()}}
}
