package plan

import (
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Shared are the objects that a release holds twice: as a hook and as an
// ordinary object. A hook's deletion would take the live ordinary one, so such
// hooks are updated in place and never deleted. Those that end by themselves,
// Jobs and Pods, are not among them: a run needs a new object.
func Shared(ordinary []object.Parsed, hooks []Hook) []object.Ref {
	held := object.NewSet()
	for _, o := range ordinary {
		held.Add(o.Ref())
	}
	shared := object.NewSet()
	for _, h := range hooks {
		if ref := object.RefOf(h.Object); held.Has(ref.Key()) && !h.Ends() {
			shared.Add(ref)
		}
	}
	return shared.Refs()
}

// shares tells that a hook of this event must leave its object where it is.
// After the deletions of an uninstall nothing ordinary is left to protect.
func (b *builder) shares(e release.Event, h Hook) bool {
	if e == release.PostDelete {
		return false
	}
	if b.shared == nil {
		ordinary := b.in.Wanted
		if b.plan.Operation == Uninstall {
			ordinary = b.in.Recorded
		}
		b.shared = object.NewSet()
		for _, ref := range Shared(ordinary, b.in.Hooks) {
			b.shared.Add(ref)
		}
	}
	return b.shared.Has(object.RefOf(h.Object).Key())
}

// becameHook tells that a recorded object is no longer an ordinary one but a
// hook of this operation that holds something: it has been brought in already,
// and pruning would take it away.
func (b *builder) becameHook(o object.Parsed) bool {
	words, deploys := deployments[b.plan.Operation]
	if !deploys || b.in.Options.NoHooks {
		return false
	}
	for _, h := range b.in.Hooks {
		if object.RefOf(h.Object).Key() == o.Ref().Key() && !h.Ends() && (h.On(words.before) || h.On(words.after)) {
			return true
		}
	}
	return false
}

// owned is a hook's object with the marks of the release, which an apply
// without them would take off the ordinary object.
func (b *builder) owned(hook *unstructured.Unstructured) *unstructured.Unstructured {
	marked := hook.DeepCopy()
	object.Own(marked, b.in.Next.Name, b.in.Next.Namespace)
	return marked
}

// hookChanges tells that a hook will have changed the object by the time of
// its apply, so that its present state says nothing.
func (b *builder) hookChanges(o object.Parsed) bool {
	words := deployments[b.plan.Operation]
	for _, h := range b.in.Hooks {
		if object.RefOf(h.Object).Key() == o.Ref().Key() && h.On(words.before) && !b.in.Options.NoHooks {
			return true
		}
	}
	return false
}
