package plan

import (
	"slices"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// leftovers removes the finished Jobs and Pods of hooks and tests, and tells
// what else hooks have left: it is not part of the release, and charts keep
// data that way. With PurgeHooks that goes too, as far as it may.
func (b *builder) leftovers() {
	left := slices.Clone(b.in.Leftover)
	object.SortByKind(left, object.UninstallOrder, func(l Leftover) string { return l.Object.GetKind() })
	b.next()
	for _, l := range left {
		ref := object.RefOf(l.Object)
		s := Step{ID: "leftover/" + ref.String(), Block: BlockDelete, Reason: "left behind by a hook", Always: true}
		if why := b.keeps(l, ref); why != "" {
			s.Action = Keep{Ref: ref, Why: why}
		} else {
			s.Action = Delete{Ref: ref, UID: string(l.Object.GetUID()), Propagation: metav1.DeletePropagationBackground}
		}
		b.add(s)
	}
	b.next()
}

// keeps says why a leftover stays; empty for one that goes.
func (b *builder) keeps(l Leftover, ref object.Ref) string {
	switch {
	case l.Foreign:
		return "it has the name of a hook, but is not as the release recorded it; delete it by hand if it is not needed"
	case l.Finished:
		return ""
	case !b.in.Options.PurgeHooks && b.plan.Operation == Uninstall && purgeable(ref) && !object.Keep(l.Object):
		return "a hook made it; delete it by hand if it is not needed (uninstall --purge-hooks does)"
	case !b.in.Options.PurgeHooks:
		return "a hook made it; delete it by hand if it is not needed"
	case !purgeable(ref):
		return "a hook made it, and what it holds is never removed with a release; delete it by hand if it is not needed"
	case object.Keep(l.Object):
		return object.ResourcePolicyAnnotation + ": " + object.KeepPolicy
	}
	return ""
}

// purgeable tells the kinds that may be removed with a release's hooks: not
// those that hold data of their own, or the objects of others.
func purgeable(ref object.Ref) bool {
	return !ref.Is("", "PersistentVolumeClaim") && !ref.Is("", "Namespace") && !ref.IsCRD()
}

// cleanRun removes what hooks of this uninstall's own events have left, which
// nobody comes after to do: their Jobs and Pods when they have succeeded, and
// with PurgeHooks the rest.
func (b *builder) cleanRun(e release.Event) {
	if b.in.Options.NoHooks {
		return
	}
	block := BlockDelete
	if e == release.PostDelete {
		block = string(e)
	}
	b.next()
	for _, h := range slices.Backward(b.on(e)) {
		ref := object.RefOf(h.Object)
		if h.Skip || b.shares(e, h) || slices.Contains(h.Policies(), release.HookSucceeded) || e == release.PreDelete && h.On(release.PostDelete) {
			continue // it was not run, is not a hook's own, is gone, or is still needed
		}
		s := Step{ID: "leftover/" + string(e) + "/" + ref.String(), Block: block, Always: true, Reason: "left behind by a hook"}
		clean := CleanHook{Event: e, Hook: h.Hook, Ref: ref, Timeout: b.in.Options.Timeout, Policies: []release.DeletePolicy{release.HookSucceeded}}
		why := b.keeps(Leftover{Object: h.Object}, ref)
		switch {
		case why == "":
			clean.Policies = append(clean.Policies, release.HookFailed)
			s.Action = clean
		case h.Ends():
			s.Action = clean
		case b.in.Live[ref.Key()] != nil && e == release.PreDelete:
			continue // it is told as what was there before
		default:
			s.Action = Keep{Ref: ref, Why: why}
		}
		b.add(s)
	}
	b.next()
}
