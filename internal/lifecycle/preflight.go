package lifecycle

import (
	"context"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/preflight"
	"github.com/pintle-dev/pintle/internal/release"
)

// PreflightMode says what is made of objects that hooks and tests refer to and
// that are nowhere. Looking for them costs a request or a few.
type PreflightMode string

// The modes of --preflight.
const (
	// PreflightOff looks for nothing that costs a request.
	PreflightOff PreflightMode = "off"
	// PreflightWarn tells and goes on, PreflightError refuses.
	PreflightWarn  PreflightMode = "warn"
	PreflightError PreflightMode = "error"
)

var after = map[plan.Operation]release.Event{
	plan.Install: release.PostInstall, plan.Upgrade: release.PostUpgrade, plan.Rollback: release.PostRollback,
}

// preflight finds hooks and tests that cannot run as they are. What costs no
// request is always looked at; the rest if asked.
func (d *deployment) preflight(ctx context.Context, r *reader, in plan.Inputs) error {
	look := preflightInput(d.op, in)
	look.Lines = hookLines(d.rendered)
	r.problems.Add(preflight.Deadlines(look)...)
	missing := preflight.Missing(look)
	if len(missing) == 0 {
		return nil
	}
	if d.opts.Preflight != PreflightWarn && d.opts.Preflight != PreflightError {
		r.problems.Add(tooLate(d.op, in, missing)...)
		return nil
	}
	set := object.NewSet()
	for _, m := range missing {
		set.Add(m.Object)
	}
	live, err := d.service.Cluster.Snapshot(ctx, set.Refs())
	if err != nil {
		return err
	}
	severity := diag.Warning
	if d.opts.Preflight == PreflightError {
		severity = diag.Error
	}
	for _, m := range missing {
		if live[m.Object.Key()] == nil {
			r.problems.Add(m.Problem(severity, true))
		}
	}
	return nil
}

// preflightInput is what an operation is going to run.
func preflightInput(op plan.Operation, in plan.Inputs) preflight.Input {
	look := preflight.Input{Wanted: in.Wanted, Tests: in.Options.Tests.Run, Timeout: in.Options.Timeout}
	if !in.Options.NoHooks {
		look.Before, look.After = before[op], after[op]
	}
	for _, h := range plan.Overridden(in.Hooks, in.Options.Hooks) {
		runs := look.Tests && h.On(release.Test) || look.Before != "" && h.On(look.Before) || look.After != "" && h.On(look.After)
		if runs && !h.Skip {
			look.Hooks = append(look.Hooks, h)
		}
	}
	return look
}

// tooLate are references of a first install to ordinary objects that come only
// after the hook: that much is known without a further request.
func tooLate(op plan.Operation, in plan.Inputs, missing []preflight.Reference) diag.List {
	if op != plan.Install {
		return nil
	}
	wanted := object.NewSet()
	for _, w := range in.Wanted {
		wanted.Add(w.Ref())
	}
	var out diag.List
	for _, m := range missing {
		if key := m.Object.Key(); wanted.Has(key) && in.Live[key] == nil {
			out.Add(m.Problem(diag.Warning, false))
		}
	}
	return out
}

// hookLines finds the lines at which hooks begin in what their templates rendered.
func hookLines(rendered *chart.Rendered) func(*release.Hook) int {
	type text struct{ source, manifest string }
	lines := map[text]int{}
	for _, d := range rendered.Hooks {
		lines[text{d.Source, object.Document{Source: d.Source, Text: d.Text}.Body()}] = d.Line
	}
	return func(h *release.Hook) int { return lines[text{h.Path, h.Manifest}] }
}

// lintReferences tells of what hooks need: from the first install on, and what
// those of other events need that the chart never brings.
func (r *reader) lintReferences(look preflight.Input) {
	type need struct {
		hook   *release.Hook
		object object.Ref
	}
	told := map[need]bool{}
	tell := func(m preflight.Reference, severity diag.Severity) {
		if of := (need{m.Hook.Hook, m.Object}); !told[of] {
			told[of] = true
			r.problems.Add(m.Problem(severity, false))
		}
	}
	for _, m := range preflight.Missing(look) {
		if m.Later {
			tell(m, diag.Warning)
		} else {
			tell(m, diag.Note)
		}
	}
	look.Tests = false
	for _, e := range []release.Event{release.PreUpgrade, release.PostUpgrade, release.PreRollback, release.PostRollback, release.PreDelete} {
		look.After = e
		for _, m := range preflight.Missing(look) {
			if m.Event == e && !m.Later {
				tell(m, diag.Note)
			}
		}
	}
}

// LintOptions are the user's wishes for a chart that is looked at without a
// cluster.
type LintOptions struct {
	Name      string
	Namespace string
	Plan      plan.Options
	// Again is the same chart rendered once more: names of hooks must be the same.
	Again *chart.Rendered
}

// Lint finds what is wrong, or will be, with the hooks, tests and annotations
// of a chart that was rendered without a cluster.
func Lint(rendered *chart.Rendered, opts LintOptions) diag.List {
	r := &reader{release: opts.Name, namespace: opts.Namespace, catalog: object.NewCatalog(nil)}
	c := r.rendered(rendered)
	r.checkTwice(c)
	in := plan.Inputs{Wanted: c.wanted, Hooks: c.hooks, Options: opts.Plan}
	in.Options.Tests.Run = true
	look := preflightInput(plan.Install, in)
	look.Hooks, look.Lines = c.hooks, hookLines(rendered)
	r.problems.Add(preflight.Deadlines(look)...)
	r.lintReferences(look)
	if opts.Again != nil {
		again := (&reader{release: opts.Name, namespace: opts.Namespace, catalog: r.catalog, allowUnknown: true}).rendered(opts.Again)
		r.problems.Add(preflight.Changing(look, again.hooks)...)
	}
	return r.problems
}
