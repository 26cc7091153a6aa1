package chart

import (
	"context"
	"errors"
	"fmt"
	"text/template"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
)

// Lookup reads live objects for the template function of that name.
type Lookup interface {
	// Lookup returns one object, or, with an empty name, a list object with
	// "items"; an empty namespace means all namespaces or a cluster-scoped
	// kind. What does not exist is an empty map and no error. It is called
	// from one goroutine; ctx is that of Render.
	Lookup(ctx context.Context, apiVersion, kind, namespace, name string) (map[string]any, error)
}

// ReleaseOptions is what templates see as .Release. Service is always "Helm".
type ReleaseOptions struct {
	Name      string
	Namespace string
	Revision  int
	// Upgrade sets .Release.IsUpgrade; otherwise .Release.IsInstall is set.
	Upgrade bool
}

// RenderOptions says for what and how a chart is rendered. The zero value
// renders with the chart's defaults and without a cluster.
type RenderOptions struct {
	Release ReleaseOptions
	// Values are the user's, which go over the chart's defaults. They are not
	// changed.
	Values map[string]any
	// ValueSource says what set the user's value at a path, for problems:
	// ValuesOptions.Where. It may be nil.
	ValueSource  func(path []string) (file string, line int)
	Capabilities Capabilities
	// Lookup answers `lookup`; nil means that nothing is ever found.
	Lookup Lookup
	// EnableDNS lets getHostByName ask the resolver; otherwise it gives "".
	EnableDNS bool
	// Limits bound what templates give and how much memory they take.
	Limits Limits
	// Confine has the templates rendered by a process of its own, which can be
	// stopped. Without it what cannot be stopped is given up: see Runaway.
	Confine              Confinement
	SkipSchemaValidation bool
	// SubchartNotes adds the notes of subcharts to those of the chart.
	SubchartNotes bool
	// PostRender, if set, may change what was rendered.
	PostRender PostRender
	// PostRenderStrategy says what is sent to PostRender; empty means
	// PostRenderCombined.
	PostRenderStrategy PostRenderStrategy

	// lint lets required values be missing, as Helm's linter does.
	lint bool
}

// Rendered is what a chart gave.
type Rendered struct {
	// Manifest holds the ordinary documents as a release record stores them,
	// each headed by "---" and "# Source: ".
	Manifest string
	// Documents are the ordinary documents, in install order.
	Documents []Document
	// Hooks are the hook documents in the order in which Helm stores them.
	// Those with an event that Helm does not know are missing here, as Helm
	// drops them; they are in Raw.
	Hooks []Document
	// Raw is every document of every template, by path and position, before
	// anything was sorted out.
	Raw []Document
	// CRDs are the files of crds/, without those of subcharts that are off.
	CRDs []CRD
	// Notes is what NOTES.txt gave.
	Notes string
	// Chart is the chart with its dependencies processed: the one to encode
	// into the release record.
	Chart *Chart
	// Warnings are those of the chart.
	Warnings diag.List
}

// Render validates values, renders all templates once and sorts out what came
// of it. What is wrong with chart or values is returned as diag.Problem or
// diag.List, with the template's file and line; the errors of opts.Lookup and
// opts.PostRender are in the chain. The chart is not changed.
func Render(ctx context.Context, c *Chart, opts RenderOptions) (*Rendered, error) {
	caps, err := opts.Capabilities.helm()
	if err != nil {
		return nil, err
	}
	chrt := clone(c.helm)
	values, err := renderValues(chrt, opts, caps)
	if err != nil {
		return nil, err
	}
	if err := checkKubeVersion(chrt, caps.KubeVersion); err != nil {
		return nil, err
	}
	files, err := execute(ctx, chrt, values, opts)
	if err != nil {
		return nil, err
	}
	if err := opts.Limits.checkOutput(files); err != nil {
		return nil, err
	}
	out := &Rendered{Chart: &Chart{helm: chrt, warnings: c.warnings}, Warnings: c.warnings}
	out.Notes = takeNotes(files, chrt.Name(), opts.SubchartNotes)
	if out.Raw, err = postRendered(ctx, files, opts); err != nil {
		return nil, err
	}
	out.Hooks, out.Documents = sortOut(out.Raw)
	out.Manifest = manifest(out.Documents)
	out.CRDs = out.Chart.CRDs()
	return out, nil
}

// renderValues switches subcharts on and off and builds what templates see.
func renderValues(chrt *helmchart.Chart, opts RenderOptions, caps *common.Capabilities) (common.Values, error) {
	if err := chartutil.ProcessDependencies(chrt, opts.Values); err != nil {
		return nil, diag.Problem{Summary: "the chart's dependencies do not fit the values", Detail: err.Error()}
	}
	release := common.ReleaseOptions{
		Name:      opts.Release.Name,
		Namespace: opts.Release.Namespace,
		Revision:  opts.Release.Revision,
		IsUpgrade: opts.Release.Upgrade,
		IsInstall: !opts.Release.Upgrade,
	}
	values, err := util.ToRenderValuesWithSchemaValidation(chrt, opts.Values, release, caps, true)
	if err != nil {
		return nil, diag.Problem{Summary: "the values do not fit the chart", Detail: err.Error()}
	}
	if !opts.SkipSchemaValidation {
		merged, _ := values["Values"].(common.Values)
		if err := validateSchemas(chrt, merged, opts.ValueSource); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// checkKubeVersion is kinder than Helm, which takes a server's suffix ("-gke.7")
// for a pre-release and refuses it where the constraint does not end in "-0".
func checkKubeVersion(chrt *helmchart.Chart, version common.KubeVersion) error {
	want := chrt.Metadata.KubeVersion
	if want == "" || chartutil.IsCompatibleRange(want, version.String()) {
		return nil
	}
	if plain, err := common.ParseKubeVersion(version.Version); err == nil && chartutil.IsCompatibleRange(want, plain.String()) {
		return nil
	}
	return diag.Problem{
		Summary: fmt.Sprintf("chart %s needs Kubernetes %s, and this is %s", chrt.Name(), want, version.Version),
		File:    chrt.Name() + "/Chart.yaml",
	}
}

// execute runs the template engine and returns what each template gave.
func execute(ctx context.Context, chrt *helmchart.Chart, values common.Values, opts RenderOptions) (map[string]string, error) {
	files, err := runEngine(ctx, chrt, values, opts)
	var said *engineError
	var runaway *Runaway
	switch {
	case err == nil:
		return files, nil
	case diag.Problems(err) != nil:
		return nil, err
	case ctx.Err() != nil && !errors.As(err, &runaway):
		return nil, fmt.Errorf("rendering chart %s: %w", chrt.Name(), context.Cause(ctx))
	case !errors.As(err, &said):
		return nil, fmt.Errorf("rendering chart %s: %w", chrt.Name(), err)
	case said.lookup != nil:
		return nil, lookupError{problem: templateProblem(chrt.Name(), err), cause: said.lookup}
	default:
		return nil, templateProblem(chrt.Name(), err)
	}
}

// runEngine runs the engine, here or in a process of its own. What it says of
// the chart is an *engineError, in its own words.
func runEngine(ctx context.Context, chrt *helmchart.Chart, values common.Values, opts RenderOptions) (map[string]string, error) {
	if len(opts.Confine.Command) > 0 {
		return opts.Confine.run(ctx, chrt, values, opts)
	}
	return executeHere(ctx, chrt, values, opts)
}

// executeHere runs the engine in this process. What it says of the chart is an
// *engineError.
func executeHere(ctx context.Context, chrt *helmchart.Chart, values common.Values, opts RenderOptions) (map[string]string, error) {
	e := engine.Engine{EnableDNS: opts.EnableDNS, LintMode: opts.lint}
	var failedLookup error
	if opts.Lookup != nil {
		e.CustomTemplateFuncs = template.FuncMap{
			"lookup": func(apiVersion, kind, namespace, name string) (found map[string]any, err error) {
				found, err = opts.Lookup.Lookup(ctx, apiVersion, kind, namespace, name)
				failedLookup = err
				return found, err
			},
		}
	}
	return guarded(ctx, opts.Limits, func() (map[string]string, error) {
		files, err := e.RenderWithContext(ctx, chrt, values)
		if err != nil {
			return nil, &engineError{text: err.Error(), lookup: failedLookup}
		}
		return files, nil
	})
}

// lookupError is a template that failed because a lookup did: the engine
// turns errors into text, so the cluster's own error is kept beside it.
type lookupError struct {
	problem diag.Problem
	cause   error
}

func (e lookupError) Error() string { return e.problem.Error() }

// Unwrap gives the diag.Problem and the error of RenderOptions.Lookup.
func (e lookupError) Unwrap() []error { return []error{e.problem, e.cause} }
