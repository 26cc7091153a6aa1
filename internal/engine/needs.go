package engine

import (
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Needs lists what the steps of a plan will surely ask of the API server when they run, each
// thing once and in the order of the steps, so that missing permissions can be
// told before anything is touched. Records are not part of it: where they are
// kept is not the engine's business. What only may become necessary, such as
// the deletion of a leftover, is left out, and so is what only helps to explain.
func Needs(p *plan.Plan) []object.Access {
	n := &needs{seen: map[object.Access]bool{}}
	for _, s := range p.Steps {
		n.step(s.Action)
	}
	return n.list
}

type needs struct {
	list []object.Access
	seen map[object.Access]bool
}

func (n *needs) add(ref object.Ref, verbs ...string) {
	for _, verb := range verbs {
		a := object.Access{Verb: verb, Ref: ref}
		if !n.seen[a] {
			n.seen[a] = true
			n.list = append(n.list, a)
		}
	}
}

// watch is needed for all objects of a kind in a namespace: names do not matter.
func (n *needs) watch(ref object.Ref) {
	ref.Name = ""
	n.add(ref, "list", "watch")
}

func (n *needs) step(action plan.Action) {
	switch a := action.(type) {
	case plan.CreateNamespace:
		n.add(object.Ref{Version: "v1", Kind: "Namespace", Name: a.Name}, "create")
	case plan.Apply:
		n.apply(a)
	case plan.Delete:
		n.add(a.Ref, "delete")
		if a.Await {
			n.add(a.Ref, "get")
		}
	case plan.Await:
		if a.Goal == plan.UntilEnded {
			n.orphans(a)
			return
		}
		for _, ref := range a.Objects {
			if health.NeedsWatch(ref.Group, ref.Kind) {
				n.watch(ref)
			}
		}
	case plan.RunHook:
		n.hook(a.Object, a.InPlace)
	case plan.CleanHook:
		n.add(a.Ref, "delete")
	}
}

func (n *needs) orphans(a plan.Await) {
	for _, ref := range a.Objects {
		for _, t := range targets(ref) {
			n.watch(object.Ref{Group: t.Group, Version: t.Version, Kind: t.Kind, Namespace: t.Namespace})
		}
		switch {
		case a.Stop && ref.Is("", "Pod"):
			n.add(ref, "delete")
		case a.Stop:
			n.add(ref, "patch")
		}
	}
}

func (n *needs) apply(a plan.Apply) {
	switch a.Change {
	case plan.Unchanged:
	case plan.Create:
		n.add(object.RefOf(a.Object), "patch", "create")
	default:
		n.add(object.RefOf(a.Object), "patch")
	}
}

func (n *needs) hook(obj *unstructured.Unstructured, inPlace bool) {
	ref := object.RefOf(obj)
	n.add(ref, "create")
	if inPlace {
		n.add(ref, "patch")
	}
	switch {
	case ref.Is("batch", "Job"):
		n.watch(ref)
		n.watch(object.Ref{Version: "v1", Kind: "Pod", Namespace: ref.Namespace})
	case ref.Is("", "Pod"):
		n.watch(ref)
	}
}
