package plan

import (
	"cmp"
	"slices"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// Operations on hooks alone.
const (
	// RunOne runs one hook of a revision again.
	RunOne Operation = "hook run"
	// CleanHooks removes what hooks have left behind.
	CleanHooks Operation = "hook clean"
)

// BuildHook plans one more run of a hook of Next, as if its event had come, and
// the record of its outcome. What hooks of that event bring before it without
// running anything themselves (a ConfigMap, a ServiceAccount, RBAC) comes along,
// and is cleaned up after it as its policies say.
func BuildHook(in Inputs, e release.Event, hook Hook) *Plan {
	all := newBuilder(RunOne, in)
	var chosen []Hook
	for _, h := range all.on(e) {
		if h.Hook == hook.Hook {
			chosen = append(chosen, h)
			break
		}
		if !h.Ends() {
			chosen = append(chosen, h)
		}
	}
	in.Hooks = chosen
	b := newBuilder(RunOne, in)
	b.orphans(true)
	b.hooks(e)
	b.alone(Step{
		ID: "record/hook", Block: string(e), Always: true, Reason: "the record tells when each hook last ran",
		Action: WriteRecord{Release: in.Next, Status: in.Next.Info.Status, Description: in.Next.Info.Description},
	})
	return b.plan
}

// EventFor is the event that a hook is run again for: the one asked for, else
// the first of those that a release in operation meets; false when the hook has
// no such event.
func EventFor(h Hook, asked release.Event) (release.Event, bool) {
	if asked != "" {
		return asked, h.On(asked)
	}
	for _, e := range []release.Event{
		release.PreUpgrade, release.PostUpgrade, release.Test, release.PreInstall, release.PostInstall,
		release.PreRollback, release.PostRollback, release.PreDelete, release.PostDelete,
	} {
		if h.On(e) {
			return e, true
		}
	}
	return "", false
}

// BuildClean plans the removal of what the hooks of Next and earlier revisions
// have left behind: Leftover.
func BuildClean(in Inputs) *Plan {
	b := newBuilder(CleanHooks, in)
	slices.SortStableFunc(b.in.Leftover, func(x, y Leftover) int {
		return cmp.Compare(object.RefOf(x.Object).String(), object.RefOf(y.Object).String())
	})
	b.orphans(false)
	b.leftovers()
	return b.plan
}
