package plan

import (
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// hooks runs the hooks of one event, one after another by weight, name, kind
// and place in the file, then cleans up after them, last first.
func (b *builder) hooks(e release.Event) {
	if b.in.Options.NoHooks {
		return
	}
	hooks := b.on(e)
	for i, h := range hooks {
		if i == 0 || !sideBySide(hooks[i-1], h, 0) {
			b.next()
		}
		b.add(b.hookStep(e, h))
	}
	b.clean(e, hooks)
}

// tests runs the test hooks. Unlike other hooks, one that fails does not keep
// the others from running, unless the user says so.
func (b *builder) tests() {
	opts := b.in.Options.Tests
	hooks := b.on(release.Test)
	if opts.Select != nil {
		hooks = slices.DeleteFunc(hooks, func(h Hook) bool { return h.Ends() && !opts.Select(h) })
		if !slices.ContainsFunc(hooks, Hook.Ends) {
			return
		}
	}
	for i, h := range hooks {
		if i == 0 || !sideBySide(hooks[i-1], h, opts.Parallel) {
			b.next()
		}
		s := b.hookStep(release.Test, h)
		s.Always = s.Always || !opts.FailFast
		run, runs := s.Action.(RunHook)
		if !runs {
			b.add(s)
			continue
		}
		run.Limit, run.Impatient = max(opts.Parallel, 0), true
		if opts.Timeout > 0 && h.Steering.Timeout == 0 {
			run.Timeout = opts.Timeout
		}
		if opts.Retries > 0 && h.Steering.Retries == 0 {
			run.Retries = opts.Retries
		}
		s.Action = run
		b.add(s)
	}
	b.clean(release.Test, hooks, opts.Cleanup.policies()...)
}

// sideBySide tells that two neighbours may run together: of one weight, both
// runnable, and both marked so by the chart or allowed by the operator.
func sideBySide(a, b Hook, parallel int) bool {
	if a.Weight != b.Weight {
		return false
	}
	if parallel > 1 {
		return a.Ends() && b.Ends()
	}
	return a.Steering.Parallel && b.Steering.Parallel
}

// Ends tells that a hook's object has an end to wait for, and with it a
// result: a Job or a Pod. As a test, any other object is what tests need.
func (h Hook) Ends() bool {
	r := object.RefOf(h.Object)
	return r.Is("batch", "Job") || r.Is("", "Pod")
}

// on lists the hooks of one event in the order in which they run.
func (b *builder) on(e release.Event) []Hook {
	var plain []*release.Hook
	by := map[*release.Hook]Hook{}
	for _, h := range b.in.Hooks {
		if h.On(e) {
			plain = append(plain, h.Hook)
			by[h.Hook] = h
		}
	}
	plain = release.SortHooks(plain)
	out := make([]Hook, len(plain))
	for i, h := range plain {
		out[i] = by[h]
	}
	return out
}

// HookStep is the id of the step that runs a hook's object for an event.
func HookStep(e release.Event, ref object.Ref) string { return string(e) + "/" + ref.String() }

func (b *builder) hookStep(e release.Event, h Hook) Step {
	ref := object.RefOf(h.Object)
	if h.Skip {
		return Step{
			ID: HookStep(e, ref), Block: string(e), Reason: "left out with --hook",
			Action: SkipHook{Event: e, Hook: h.Hook, Ref: ref, Suite: h.Steering.Suite},
		}
	}
	run := RunHook{
		Event: e, Hook: h.Hook, Object: h.Object, Known: b.in.Known[ref.Key()], Replace: h.Replaces(), InPlace: h.InPlace(),
		Timeout: orElse(h.Steering.Timeout, b.in.Options.Timeout), Retries: h.Steering.Retries,
		Suite: h.Steering.Suite, Strict: b.in.Options.Strict,
	}
	if b.shares(e, h) {
		run.Object, run.Replace, run.InPlace = b.owned(h.Object), false, true
	}
	return Step{ID: HookStep(e, ref), Block: string(e), Always: h.Steering.Always, Reason: hookReason(e, h), Action: run}
}

func hookReason(e release.Event, h Hook) string {
	if h.Steering.Always {
		return string(e) + " hook that runs even after a failure"
	}
	return string(e) + " hook"
}

// clean adds the deletions that policies ask for. They run even when a hook
// has failed: policies are honoured on every path.
func (b *builder) clean(e release.Event, hooks []Hook, more ...release.DeletePolicy) {
	for _, h := range slices.Backward(hooks) {
		ref := object.RefOf(h.Object)
		if ref.IsCRD() {
			continue // Helm never deletes a CRD that is a hook
		}
		if b.shares(e, h) {
			continue
		}
		policies := h.Policies()
		if h.Ends() {
			policies = append(slices.Clone(policies), more...)
		}
		if !slices.Contains(policies, release.HookSucceeded) && !slices.Contains(policies, release.HookFailed) {
			continue
		}
		b.next()
		b.add(Step{
			ID: "clean/" + string(e) + "/" + ref.String(), Block: string(e), Always: true, Reason: "its delete policy",
			Action: CleanHook{Event: e, Hook: h.Hook, Ref: ref, Policies: policies, Timeout: b.in.Options.Timeout},
		})
	}
	b.next()
}

func orElse(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}
