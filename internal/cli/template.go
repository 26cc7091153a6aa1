package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// templateFlags are those of template.
type templateFlags struct {
	valuesFlags
	renderFlags
	nameFlags
	source      sourceFlags
	print       chart.PrintOptions
	upgrade     bool
	kubeVersion string
	apiVersions []string
	dryRun      dryRun
	validate    bool
	outputDir   string
	nameInPath  bool
}

// templateName is the release's name where none is given, as in Helm.
const templateName = "release-name"

func newTemplate(a *app) *cobra.Command {
	var flags templateFlags
	cmd := &cobra.Command{
		Use:   "template [NAME] CHART",
		Short: "render a chart",
		Long: lines("Renders a chart and prints what `helm template` prints, without a cluster.",
			"", "What install would refuse in the annotations of hooks is told as a warning."),
		Args: needs(1, 2, "a chart, and a name if you like"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error { return a.template(cmd.Context(), args, &flags) }),
	}
	f := cmd.Flags()
	flags.valuesFlags.add(f)
	flags.renderFlags.add(f)
	flags.nameFlags.add(f)
	flags.source.add(f, a.env)
	flags.source.addUpdate(f)
	f.BoolVar(&flags.print.IncludeCRDs, "include-crds", false, "print the files of crds/ too")
	f.BoolVar(&flags.print.NoHooks, "no-hooks", false, "leave hooks out")
	f.BoolVar(&flags.print.SkipTests, "skip-tests", false, "leave tests out")
	f.StringArrayVarP(&flags.print.ShowOnly, "show-only", "s", nil, "print only what these templates render, such as templates/job.yaml (repeatable)")
	f.BoolVar(&flags.upgrade, "is-upgrade", false, "set .Release.IsUpgrade instead of .Release.IsInstall")
	f.StringVar(&flags.kubeVersion, "kube-version", "", "the Kubernetes version that templates see")
	f.StringSliceVarP(&flags.apiVersions, "api-versions", "a", nil, "further API versions that templates see (repeatable)")
	flags.dryRun.mode = lifecycle.DryRunClient
	f.Var(&flags.dryRun, "dry-run", "client renders without a cluster; server renders with what the cluster serves and holds, and has the API server check each object")
	f.Lookup("dry-run").NoOptDefVal = "client"
	f.BoolVar(&flags.validate, "validate", false, "an older name of --dry-run=server")
	outdate(f, "validate", "--dry-run=server")
	f.StringVar(&flags.outputDir, "output-dir", "", "write what each template renders into a file below this folder, instead of to standard output")
	f.BoolVar(&flags.nameInPath, "release-name", false, "with --output-dir: put the files into a folder of the release's name")
	inertFlags(f)
	a.completeInstall(cmd, &flags.nameFlags)
	return cmd
}

func (a *app) template(ctx context.Context, args []string, flags *templateFlags) error {
	name, ref, err := flags.nameAndChart(args, templateName, time.Now())
	if err != nil {
		return err
	}
	if err := release.ValidateName(name); err != nil {
		return &lifecycle.Refused{Err: err}
	}
	if err := flags.check(); err != nil {
		return err
	}
	render := a.render
	if flags.dryRun.mode == lifecycle.DryRunServer || flags.validate {
		render = a.renderWithCluster
	}
	rendered, err := render(ctx, name, ref, flags)
	if err != nil {
		return err
	}
	ui.WriteProblems(a.streams.Err, hookWarnings(rendered.Raw), a.colorErr())
	if flags.outputDir == "" {
		return chart.Print(a.streams.Out, rendered, flags.print)
	}
	return a.writeFiles(name, rendered, flags)
}

// check finds combinations that make no sense.
func (t *templateFlags) check() error {
	switch {
	case t.dryRun.mode == lifecycle.Run:
		return asUsage(errors.New("--dry-run must be client or server: template never changes anything"))
	case t.outputDir != "" && len(t.print.ShowOnly) > 0:
		return asUsage(errors.New("--show-only and --output-dir cannot be used together"))
	case t.nameInPath && t.outputDir == "":
		return asUsage(errors.New("--release-name needs --output-dir"))
	}
	return nil
}

// writeFiles writes below --output-dir and tells of each document, as Helm does.
func (a *app) writeFiles(name string, rendered *chart.Rendered, flags *templateFlags) error {
	dir := flags.outputDir
	if flags.nameInPath {
		dir = filepath.Join(dir, name)
	}
	written, err := chart.WriteFiles(dir, rendered, flags.print)
	for _, path := range written {
		fmt.Fprintln(a.streams.Out, "wrote", path)
	}
	return err
}

// renderWithCluster renders as an install would, and has the objects checked.
func (a *app) renderWithCluster(ctx context.Context, name, ref string, flags *templateFlags) (*chart.Rendered, error) {
	if flags.kubeVersion != "" || len(flags.apiVersions) > 0 {
		a.warn("--kube-version and --api-versions have no effect with --dry-run=server: the cluster says what it serves")
	}
	streams := a.results(ui.JSON) // standard output is for what was rendered
	s, err := a.operate(streams, a.viewOptions(""))
	if err != nil {
		return nil, err
	}
	defer s.end()
	open, render, err := flags.rendering(a.env)
	if err != nil {
		return nil, err
	}
	values := flags.values(a.streams.In)
	values.Limits, render.ValueSource = open.Limits, values.Where
	open, values.Fetch = a.from(open, &flags.source)
	return s.Template(ctx, lifecycle.TemplateOptions{Upgrade: flags.upgrade, DeployOptions: lifecycle.DeployOptions{
		Name: name, Namespace: s.namespace, Chart: ref, Open: open, Values: values, Plan: plan.Options{Strict: true},
		Render: render,
	}})
}

// render renders a chart without a cluster.
func (a *app) render(ctx context.Context, name, ref string, flags *templateFlags) (*chart.Rendered, error) {
	open, opts, err := flags.rendering(a.env)
	if err != nil {
		return nil, err
	}
	options := flags.values(a.streams.In)
	options.Limits = open.Limits
	open, options.Fetch = a.from(open, &flags.source)
	c, err := chart.Load(ctx, ref, open)
	if err != nil {
		return nil, err
	}
	ui.WriteProblems(a.streams.Err, c.Warnings(), a.colorErr())
	values, err := options.Merge(ctx)
	if err != nil {
		return nil, err
	}
	if opts.Capabilities, err = chart.OfflineCapabilities(flags.kubeVersion, flags.apiVersions...); err != nil {
		return nil, asUsage(err)
	}
	opts.Release = chart.ReleaseOptions{
		Name: name, Namespace: kube.ConfiguredNamespace(a.global.kube()), Revision: 1, Upgrade: flags.upgrade,
	}
	opts.Values, opts.ValueSource = values, options.Where
	return chart.Render(ctx, c, opts)
}

// hookWarnings are what install would say of annotations, as warnings.
func hookWarnings(docs []chart.Document) diag.List {
	var found diag.List
	for _, d := range docs {
		content, err := d.Outline()
		if err != nil || content == nil {
			continue
		}
		doc, obj := object.Document{Source: d.Source, Line: d.Line, Text: d.Text}, &unstructured.Unstructured{Object: content}
		found.Add(release.CheckAnnotations(doc, obj)...)
		_, problems := release.HookReader{AllowUnknown: true}.Parse(doc, obj)
		found.Add(problems...)
	}
	for i := range found {
		found[i].Severity = diag.Warning
	}
	return found
}
