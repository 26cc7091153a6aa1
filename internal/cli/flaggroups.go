package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/pflag"
)

// defaultTimeout is Helm's, for each hook and each wait afresh.
const defaultTimeout = 5 * time.Minute

// valuesFlags are the flags that set values.
type valuesFlags struct{ opts chart.ValuesOptions }

func (v *valuesFlags) add(f *pflag.FlagSet) {
	o := &v.opts
	f.StringSliceVarP(&o.Files, "values", "f", nil, "values in a YAML file, a URL or - for standard input (repeatable)")
	f.StringArrayVar(&o.Set, "set", nil, "set values: key1=val1,key2=val2 (repeatable)")
	f.StringArrayVar(&o.SetString, "set-string", nil, "set values as text: key1=val1,key2=val2 (repeatable)")
	f.StringArrayVar(&o.SetFile, "set-file", nil, "set values to the content of files: key1=path1,key2=path2 (repeatable)")
	f.StringArrayVar(&o.SetJSON, "set-json", nil, `set values as JSON: key1=json1,key2=json2 or '{"key1": json1}' (repeatable)`)
	f.StringArrayVar(&o.SetLiteral, "set-literal", nil, "set one value to the text as it is: key=text (repeatable)")
}

func (v *valuesFlags) values(in io.Reader) chart.ValuesOptions {
	o := v.opts
	o.Stdin = in
	return o
}

// nameFlags say how a new release is named when no name is given.
type nameFlags struct {
	generate bool
	template string
}

func (n *nameFlags) add(f *pflag.FlagSet) {
	f.BoolVarP(&n.generate, "generate-name", "g", false, "make a name from that of the chart; leave the NAME argument out")
	f.StringVar(&n.template, "name-template", "", "make a name from a Go template; leave the NAME argument out")
}

// renderFlags shape what a chart renders to.
type renderFlags struct {
	post       postRenderFlags
	bounds     limitFlags
	skipSchema bool
	dns        bool
}

func (r *renderFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&r.skipSchema, "skip-schema-validation", false, "do not check the values against the chart's schema")
	r.post.add(f)
	r.bounds.addRender(f)
	f.BoolVar(&r.dns, "enable-dns", false, "let templates look up host names")
}

// rendering are the options for opening and rendering a chart that these flags
// and the environment ask for.
func (r *renderFlags) rendering(env Env) (chart.OpenOptions, chart.RenderOptions, error) {
	opts := chart.RenderOptions{EnableDNS: r.dns, SkipSchemaValidation: r.skipSchema}
	open, err := r.bounds.open(env)
	if err != nil {
		return open, opts, err
	}
	if err := r.bounds.render(env, open, &opts); err != nil {
		return open, opts, err
	}
	if opts.PostRender, err = r.post.find(env); err != nil {
		return open, opts, &lifecycle.Refused{Err: err}
	}
	return open, opts, nil
}

// waitFlags say what is waited for, and how long.
type waitFlags struct {
	mode     waitMode
	jobs     bool
	timeout  time.Duration
	deadline time.Duration
}

func (w *waitFlags) add(f *pflag.FlagSet) {
	addWait(f, &w.mode)
	f.BoolVar(&w.jobs, "wait-for-jobs", false, "with --wait: wait for the end of Jobs too")
	addTimeout(f, &w.timeout)
	addDeadline(f, &w.deadline)
}

func addDeadline(f *pflag.FlagSet, deadline *time.Duration) {
	f.DurationVar(deadline, "deadline", 0, "limit for the whole operation, from reading the chart on; 0 means none")
}

func addWait(f *pflag.FlagSet, mode *waitMode) {
	*mode = waitHookOnly
	f.Var(mode, "wait", "wait until everything is ready: watcher (the same as --wait alone) or legacy wait, hookOnly does not")
	f.Lookup("wait").NoOptDefVal = string(waitWatcher)
}

func addTimeout(f *pflag.FlagSet, timeout *time.Duration) {
	f.DurationVar(timeout, "timeout", defaultTimeout, "limit for each hook and for each wait; 0 means none")
}

// deployFlags are those that install, upgrade and rollback share.
type deployFlags struct {
	waitFlags
	noHooks        bool
	dryRun         dryRun
	description    string
	forceConflicts bool
	forceReplace   bool
	recreate       []string
	hooks          hookOverrides
	serverSide     serverSide
}

func (d *deployFlags) add(f *pflag.FlagSet, serverSideDefault string) {
	d.waitFlags.add(f)
	f.BoolVar(&d.noHooks, "no-hooks", false, "run no hooks")
	f.Var(&d.dryRun, "dry-run", "change nothing and show what would be done: client (without a cluster), server or none")
	f.Lookup("dry-run").NoOptDefVal = "client"
	f.StringVar(&d.description, "description", "", "description of the revision")
	f.BoolVar(&d.forceConflicts, "force-conflicts", false, "take over fields that others have set")
	f.BoolVar(&d.forceReplace, "force-replace", false, "delete and create anew whatever cannot be changed in place")
	f.BoolVar(&d.forceReplace, "force", false, "an older name of --force-replace")
	outdate(f, "force", "--force-replace")
	f.StringArrayVar(&d.recreate, "recreate", nil, "delete and create this object anew if it cannot be changed in place: KIND/NAME (can be repeated)")
	f.Var(&d.hooks, "hook", "change a hook or test: NAME:timeout=20m,retries=2,skip (name or glob; can be repeated)")
	d.serverSide.value = serverSideDefault
	f.Var(&d.serverSide, "server-side", "true or auto: pintle applies server-side only")
	f.Lookup("server-side").NoOptDefVal = "true"
}

// anew are the objects that may be deleted and created anew.
func (d *deployFlags) anew() lifecycle.RecreateOptions {
	return lifecycle.RecreateOptions{Objects: d.recreate, All: d.forceReplace}
}

// plan are the options of the plan, but for tests.
func (d *deployFlags) plan() plan.Options {
	return plan.Options{
		Timeout: d.timeout, Wait: d.mode.wanted(), WaitForJobs: d.jobs, NoHooks: d.noHooks,
		Hooks: d.hooks, ForceConflicts: d.forceConflicts, Description: d.description, Strict: true,
	}
}

// check finds combinations that make no sense.
func (d *deployFlags) check() error {
	return checkTimes(d.timeout, d.deadline)
}

// checkTimes refuses limits below zero.
func checkTimes(timeout, deadline time.Duration) error {
	switch {
	case timeout < 0:
		return asUsage(fmt.Errorf("--timeout is %s: it must not be negative", timeout))
	case deadline < 0:
		return asUsage(fmt.Errorf("--deadline is %s: it must not be negative", deadline))
	}
	return nil
}

// outputFlags choose the form of the result.
type outputFlags struct{ format format }

func (o *outputFlags) add(f *pflag.FlagSet) {
	o.format.value = ui.Table
	f.VarP(&o.format, "output", "o", "form of the result: "+strings.Join(ui.Formats(), ", "))
}

// logFlags choose which logs of hooks and tests are shown.
type logFlags struct{ logs logMode }

func (l *logFlags) add(f *pflag.FlagSet) {
	l.logs.value = ui.LogsAuto
	f.Var(&l.logs, "logs", "logs of hooks and tests: always (the same as --logs alone), failed, never, or auto for the last lines of what failed")
	f.Lookup("logs").NoOptDefVal = string(ui.LogsAlways)
}

// preflightModes are the values of --preflight.
var preflightModes = []string{string(lifecycle.PreflightOff), string(lifecycle.PreflightWarn), string(lifecycle.PreflightError)}

// chartFlags are those of install and upgrade that are about the chart and
// what becomes of it.
type chartFlags struct {
	valuesFlags
	renderFlags
	deployFlags
	outputFlags
	logFlags
	gate            gateFlags
	source          sourceFlags
	rollback        bool
	skipCRDs        bool
	crds            string
	createNamespace bool
	takeOwnership   bool
	noStrict        bool
	allowUnknown    bool
	preflight       string
	subchartNotes   bool
	hideNotes       bool
	secrets         secretMode
	labels          map[string]string
}

func (c *chartFlags) add(f *pflag.FlagSet, serverSideDefault string) {
	c.valuesFlags.add(f)
	c.renderFlags.add(f)
	c.deployFlags.add(f, serverSideDefault)
	c.outputFlags.add(f)
	c.logFlags.add(f)
	c.gate.add(f)
	f.BoolVar(&c.rollback, "rollback-on-failure", false, "after a failure, go back to the last good revision, or remove a first install; implies --wait")
	f.BoolVar(&c.rollback, "atomic", false, "an older name of --rollback-on-failure")
	outdate(f, "atomic", "--rollback-on-failure")
	f.StringVar(&c.crds, "crds", string(plan.CreateCRDs), "what to do with the CustomResourceDefinitions of crds/: create those that are missing, update those that differ, or skip them")
	f.BoolVar(&c.skipCRDs, "skip-crds", false, "do not create the CustomResourceDefinitions of crds/ when installing")
	f.BoolVar(&c.createNamespace, "create-namespace", false, "when installing, create the namespace unless it exists")
	f.BoolVar(&c.takeOwnership, "take-ownership", false, "make objects part of the release that exist and belong to another one, or to none")
	f.BoolVar(&c.noStrict, "disable-openapi-validation", false, "do not have the API server refuse fields that it does not know")
	c.preflight = string(lifecycle.PreflightOff)
	f.Var(&choice{value: &c.preflight, known: preflightModes}, "preflight", "look for the Secrets, ConfigMaps, ServiceAccounts and claims that hooks and tests refer to, and warn of those that are nowhere, or refuse with an error: off, warn or error")
	f.BoolVar(&c.allowUnknown, "allow-unknown-hooks", false, "go on, as Helm does, where a hook's event, weight or delete policy has no meaning")
	f.BoolVar(&c.subchartNotes, "render-subchart-notes", false, "show the notes of subcharts too")
	f.BoolVar(&c.hideNotes, "hide-notes", false, "do not show the chart's notes")
	c.secrets.add(f)
	f.StringToStringVarP(&c.labels, "labels", "l", nil, "labels for the release's record: key1=val1,key2=val2")
}

// systemLabels are those that a record carries anyway.
var systemLabels = []string{"name", "owner", "status", "version", "createdAt", "modifiedAt"}

func (c *chartFlags) check() error {
	if err := c.deployFlags.check(); err != nil {
		return err
	}
	if c.secrets == hideSecrets && c.dryRun.mode == lifecycle.Run {
		return asUsage(fmt.Errorf("--hide-secret needs --dry-run"))
	}
	for _, name := range systemLabels {
		if _, taken := c.labels[name]; taken {
			return asUsage(fmt.Errorf("--labels cannot set %s: records use that label themselves", name))
		}
	}
	return nil
}

// options are those of the operation, but for name, namespace and chart.
func (c *chartFlags) options(in io.Reader, env Env) (lifecycle.DeployOptions, error) {
	tests, err := c.gate.plan()
	if err != nil {
		return lifecycle.DeployOptions{}, err
	}
	p := c.plan()
	p.Wait = p.Wait || c.rollback
	p.CreateNamespace, p.TakeOwnership, p.Strict, p.Tests = c.createNamespace, c.takeOwnership, !c.noStrict, tests
	if p.CRDs, err = c.crdPolicy(); err != nil {
		return lifecycle.DeployOptions{}, err
	}
	open, render, err := c.rendering(env)
	if err != nil {
		return lifecycle.DeployOptions{}, err
	}
	values := c.values(in)
	values.Limits = open.Limits
	render.SubchartNotes, render.ValueSource = c.subchartNotes, values.Where
	return lifecycle.DeployOptions{
		Values: values,
		Open:   open, Render: render,
		Preflight: lifecycle.PreflightMode(c.preflight), AllowUnknownHooks: c.allowUnknown, RollbackOnFailure: c.rollback,
		Labels: c.labels, Deadline: c.deadline, Recreate: c.anew(), DryRun: c.dryRun.mode, Plan: p,
	}, nil
}

// crdPolicy reads --crds and Helm's older --skip-crds.
func (c *chartFlags) crdPolicy() (plan.CRDPolicy, error) {
	if c.skipCRDs {
		return plan.SkipCRDs, nil
	}
	switch p := plan.CRDPolicy(c.crds); p {
	case plan.CreateCRDs, plan.UpdateCRDs, plan.SkipCRDs:
		return p, nil
	}
	return "", asUsage(fmt.Errorf("--crds is %q: it must be create, update or skip", c.crds))
}
