package lifecycle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// content is what a revision consists of, parsed: from a rendered chart or
// from a record.
type content struct {
	wanted []object.Parsed
	hooks  []plan.Hook
}

// reader turns documents into content for one release. It collects problems
// instead of stopping at the first.
type reader struct {
	release   string
	namespace string
	catalog   *object.Catalog
	// allowUnknown goes on as Helm does where a hook's annotations make no sense.
	allowUnknown bool
	problems     diag.List
	// texts finds the objects of rendered documents by their text. What a record
	// holds word for word is not parsed again.
	texts map[string]*unstructured.Unstructured
}

// textOf is a document's text without what differs between a template's
// output and a record of it.
func textOf(d object.Document) string { return strings.TrimRight(d.Body(), "\n") }

// rendered reads what a chart gave. Every document is parsed once.
func (r *reader) rendered(out *chart.Rendered) content {
	type place struct {
		source string
		line   int
	}
	parsed := map[place]*unstructured.Unstructured{}
	hooks := map[place]*release.Hook{}
	for _, d := range out.Raw {
		doc := object.Document{Source: d.Source, Line: d.Line, Text: d.Text}
		obj, err := parsedDocument(d, doc)
		if err != nil {
			r.problems.Add(parseProblem(err))
			continue
		}
		if obj == nil {
			continue
		}
		at := place{d.Source, d.Line}
		parsed[at] = obj
		r.problems.Add(release.CheckAnnotations(doc, obj)...)
		if release.IsHook(obj) {
			hook, problems := release.HookReader{AllowUnknown: r.allowUnknown}.Parse(doc, obj)
			r.problems.Add(problems...)
			hooks[at] = hook
		}
	}
	var c content
	r.texts = make(map[string]*unstructured.Unstructured, len(out.Documents))
	for _, d := range out.Documents {
		if obj := parsed[place{d.Source, d.Line}]; obj != nil {
			doc := object.Document{Source: d.Source, Line: d.Line, Text: d.Text}
			r.want(&c, doc, obj)
			r.texts[textOf(doc)] = obj
		}
	}
	for _, d := range out.Hooks {
		at := place{d.Source, d.Line}
		if hook := hooks[at]; hook != nil {
			r.scope(parsed[at])
			c.hooks = append(c.hooks, plan.Hook{Hook: hook, Object: parsed[at], Steering: hook.Options()})
		}
	}
	return c
}

// parsedDocument takes the object that rendering has parsed already.
func parsedDocument(d chart.Document, doc object.Document) (*unstructured.Unstructured, error) {
	parsed, err := d.Object()
	if err != nil {
		return nil, err
	}
	return object.FromMap(doc, parsed)
}

// recorded reads what a record holds. The hooks are those of the record
// itself, so that what is noted on them goes into it. A record that cannot be
// read in full is an error: acting on half of it would prune the other half.
func (r *reader) recorded(rec *release.Release) (content, error) {
	var c content
	for _, doc := range object.Split(rec.Manifest) {
		obj, err := r.parse(doc)
		if err != nil {
			return c, fmt.Errorf("reading the manifest of revision %d: %w", rec.Revision, err)
		}
		if obj != nil {
			r.modernize(obj)
			r.want(&c, doc, obj)
		}
	}
	object.SortByKind(c.wanted, object.InstallOrder, func(p object.Parsed) string { return p.Object.GetKind() })
	for _, h := range rec.Hooks {
		obj, err := h.Parse()
		if err != nil {
			return c, fmt.Errorf("reading the hooks of revision %d: %w", rec.Revision, err)
		}
		r.scope(obj)
		c.hooks = append(c.hooks, plan.Hook{Hook: h, Object: obj, Steering: h.Options()})
	}
	return c, nil
}

// parse reads a document of a record, or knows it already: marking an object as
// ours a second time changes nothing.
func (r *reader) parse(doc object.Document) (*unstructured.Unstructured, error) {
	if obj := r.texts[textOf(doc)]; obj != nil {
		return obj, nil
	}
	return object.Parse(doc)
}

// modernize gives a recorded object whose API version the cluster no longer
// serves the version that it does: group, kind and name still say which object
// is meant.
func (r *reader) modernize(obj *unstructured.Unstructured) {
	gvk := obj.GroupVersionKind()
	if _, served := r.catalog.Find(gvk); served {
		return
	}
	if res, ok := r.catalog.FindKind(gvk.GroupKind()); ok {
		obj.SetAPIVersion(res.GVK.GroupVersion().String())
	}
}

// want adds an ordinary document, expanded if it is a list, marked as ours.
func (r *reader) want(c *content, doc object.Document, obj *unstructured.Unstructured) {
	items, err := object.Expand(obj)
	if err != nil {
		r.problems.Add(diag.Problem{Summary: err.Error(), File: doc.Source, Line: doc.Line, Rendered: true})
		return
	}
	for _, item := range items {
		r.scope(item)
		object.Own(item, r.release, r.namespace)
		c.wanted = append(c.wanted, object.Parsed{Document: doc, Object: item})
	}
}

// scope fills in the release's namespace where an object of a namespaced kind
// names none, and takes it off cluster-scoped ones. For a kind that is not
// served yet the client decides when it is.
func (r *reader) scope(obj *unstructured.Unstructured) {
	res, known := r.find(obj.GroupVersionKind())
	if known && !res.Namespaced {
		obj.SetNamespace("")
		return
	}
	if obj.GetNamespace() == "" {
		obj.SetNamespace(r.namespace)
	}
}

func (r *reader) find(gvk schema.GroupVersionKind) (object.Resource, bool) {
	if res, ok := r.catalog.Find(gvk); ok {
		return res, true
	}
	return r.catalog.FindKind(gvk.GroupKind())
}

func parseProblem(err error) diag.Problem {
	if found := diag.Problems(err); len(found) > 0 {
		return found[0]
	}
	var p *object.ParseError
	if errors.As(err, &p) {
		return diag.Problem{Summary: "the document cannot be read", Detail: p.Err.Error(), File: p.Source, Line: p.Line, Rendered: true}
	}
	return diag.Problem{Summary: err.Error()}
}

// crdObjects parses the files of crds/.
func crdObjects(crds []chart.CRD) ([]object.Parsed, error) {
	var out []object.Parsed
	for _, crd := range crds {
		parsed, err := object.ParseAll(object.SplitFile(crd.Source, string(crd.Data)))
		if err != nil {
			return nil, parseProblem(err)
		}
		out = append(out, parsed...)
	}
	return out, nil
}

// bring lists the kinds that CRDs define, so that what uses them can be
// checked and scoped before they are served.
func bring(crds []object.Parsed) []object.Resource {
	var out []object.Resource
	for _, crd := range crds {
		if !crd.Ref().IsCRD() {
			continue
		}
		text := func(path ...string) string {
			s, _, _ := unstructured.NestedString(crd.Object.Object, path...)
			return s
		}
		versions, _, _ := unstructured.NestedSlice(crd.Object.Object, "spec", "versions")
		for _, v := range versions {
			version, _ := v.(map[string]any)
			name, _ := version["name"].(string)
			if served, _ := version["served"].(bool); !served {
				continue
			}
			out = append(out, object.Resource{
				GVK:  schema.GroupVersionKind{Group: text("spec", "group"), Version: name, Kind: text("spec", "names", "kind")},
				Name: text("spec", "names", "plural"), Namespaced: text("spec", "scope") == "Namespaced",
			})
		}
	}
	return out
}

// distinct keeps the first of several objects with one identity.
func distinct(objects []object.Parsed) []object.Parsed {
	seen := object.NewSet()
	var out []object.Parsed
	for _, o := range objects {
		if seen.Add(o.Ref()) {
			out = append(out, o)
		}
	}
	return out
}
