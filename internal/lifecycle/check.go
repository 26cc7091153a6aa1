package lifecycle

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// checkKinds finds objects of kinds that the cluster does not serve and that
// nothing in the release may bring: neither crds/, nor a CRD among the
// objects, nor a hook that runs before and can do such a thing.
func (r *reader) checkKinds(c content, before release.Event) {
	var crds []object.Parsed
	for _, w := range c.wanted {
		if w.Ref().IsCRD() {
			crds = append(crds, w)
		}
	}
	early, late := inTurn(c.hooks, before)
	known := r.catalog.With(bring(crds)...)
	brought := false
	for _, h := range early {
		r.checkKind(r.catalog, object.RefOf(h.Object), h.Document(), brought)
		brought = brought || h.Ends() || object.RefOf(h.Object).IsCRD()
	}
	for _, w := range c.wanted {
		r.checkKind(known, w.Ref(), w.Document, brought)
	}
	for _, h := range late {
		r.checkKind(known, object.RefOf(h.Object), h.Document(), brought)
	}
}

// inTurn tells the hooks that run before the objects are applied, in their
// order, from all others.
func inTurn(hooks []plan.Hook, before release.Event) (early, late []plan.Hook) {
	var plain []*release.Hook
	by := map[*release.Hook]plan.Hook{}
	for _, h := range hooks {
		if h.On(before) {
			plain = append(plain, h.Hook)
			by[h.Hook] = h
			continue
		}
		late = append(late, h)
	}
	for _, h := range release.SortHooks(plain) {
		early = append(early, by[h])
	}
	return early, late
}

func (r *reader) checkKind(known *object.Catalog, ref object.Ref, doc object.Document, brought bool) {
	if _, ok := known.Find(ref.GVK()); ok || brought {
		return
	}
	p := diag.Problem{
		Summary: fmt.Sprintf("the cluster does not serve kind %s of %s", ref.Kind, ref.APIVersion()),
		Detail:  fmt.Sprintf("needed by %s; is a CustomResourceDefinition missing?", ref.Short()), File: doc.Source, Line: doc.Line, Rendered: true,
	}
	if served, ok := known.FindKind(ref.GVK().GroupKind()); ok {
		p.Detail = fmt.Sprintf("it serves %s", served.GVK.GroupVersion())
	} else if elsewhere := known.Named(ref.Kind); len(elsewhere) > 0 {
		p.Detail = fmt.Sprintf("it serves a kind of that name in %s", elsewhere[0].GVK.GroupVersion())
	}
	r.problems.Add(p)
}

// checkOwners finds live objects that this release would take from another
// owner, or from none.
func (r *reader) checkOwners(c content, live map[object.Key]*unstructured.Unstructured, recorded []object.Parsed) {
	ours := object.NewSet()
	for _, rec := range recorded {
		ours.Add(rec.Ref())
	}
	for _, w := range c.wanted {
		found := live[w.Ref().Key()]
		if found == nil || ours.Has(w.Ref().Key()) {
			continue
		}
		if why := object.NotOwned(found, r.release, r.namespace); why != "" {
			r.problems.Add(diag.Problem{
				Summary: fmt.Sprintf("%s exists and is not part of this release", w.Ref()),
				Detail:  why + "; to make it part of the release, use --take-ownership",
				File:    w.Source, Line: w.Line, Rendered: true,
			})
		}
	}
}

// checkTwice finds objects that the chart holds more than once: the later
// would silently win.
func (r *reader) checkTwice(c content) {
	first := map[object.Key]object.Parsed{}
	for _, w := range c.wanted {
		key := w.Ref().Key()
		if before, twice := first[key]; twice {
			r.problems.Add(diag.Problem{
				Severity: diag.Warning, Summary: fmt.Sprintf("%s is in the chart twice; the later one wins", w.Ref()),
				Detail: "the other is in " + before.Source, File: w.Source, Line: w.Line, Rendered: true,
			})
			continue
		}
		first[key] = w
	}
}

// refs are all objects whose live state a plan needs.
func refs(groups ...[]object.Parsed) []object.Ref {
	set := object.NewSet()
	for _, g := range groups {
		for _, p := range g {
			set.Add(p.Ref())
		}
	}
	return set.Refs()
}

// known are hook objects by identity, as recorded revisions hold them.
func known(contents []content) map[object.Key][]*unstructured.Unstructured {
	out := map[object.Key][]*unstructured.Unstructured{}
	for _, c := range contents {
		for _, h := range c.hooks {
			key := object.RefOf(h.Object).Key()
			out[key] = append(out[key], h.Object)
		}
	}
	return out
}

var before = map[plan.Operation]release.Event{
	plan.Install: release.PreInstall, plan.Upgrade: release.PreUpgrade, plan.Rollback: release.PreRollback,
}
