package cli

import (
	"context"
	"time"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
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
	print       chart.PrintOptions
	upgrade     bool
	kubeVersion string
	apiVersions []string
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
	f.BoolVar(&flags.print.IncludeCRDs, "include-crds", false, "print the files of crds/ too")
	f.BoolVar(&flags.print.NoHooks, "no-hooks", false, "leave hooks out")
	f.BoolVar(&flags.print.SkipTests, "skip-tests", false, "leave tests out")
	f.StringArrayVarP(&flags.print.ShowOnly, "show-only", "s", nil, "print only what these templates render, such as templates/job.yaml (repeatable)")
	f.BoolVar(&flags.upgrade, "is-upgrade", false, "set .Release.IsUpgrade instead of .Release.IsInstall")
	f.StringVar(&flags.kubeVersion, "kube-version", "", "the Kubernetes version that templates see")
	f.StringSliceVarP(&flags.apiVersions, "api-versions", "a", nil, "further API versions that templates see (repeatable)")
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
	rendered, err := a.render(ctx, name, ref, flags)
	if err != nil {
		return err
	}
	ui.WriteProblems(a.streams.Err, hookWarnings(rendered.Raw), a.colorErr())
	return chart.Print(a.streams.Out, rendered, flags.print)
}

// render renders a chart without a cluster.
func (a *app) render(ctx context.Context, name, ref string, flags *templateFlags) (*chart.Rendered, error) {
	c, err := chart.Load(ref)
	if err != nil {
		return nil, err
	}
	ui.WriteProblems(a.streams.Err, c.Warnings(), a.colorErr())
	options := flags.values(a.streams.In)
	values, err := options.Merge(ctx)
	if err != nil {
		return nil, err
	}
	capabilities, err := chart.OfflineCapabilities(flags.kubeVersion, flags.apiVersions...)
	if err != nil {
		return nil, asUsage(err)
	}
	return chart.Render(ctx, c, chart.RenderOptions{
		Release: chart.ReleaseOptions{
			Name: name, Namespace: kube.ConfiguredNamespace(a.global.kube()), Revision: 1, Upgrade: flags.upgrade,
		},
		Values: values, ValueSource: options.Where, Capabilities: capabilities,
		EnableDNS: flags.dns, SkipSchemaValidation: flags.skipSchema,
	})
}

// hookWarnings are what install would say of annotations, as warnings.
func hookWarnings(docs []chart.Document) diag.List {
	var found diag.List
	for _, d := range docs {
		content, err := d.Object()
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
