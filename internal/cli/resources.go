package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

// recorded are the objects of a record's manifest. What cannot be read of it is
// left out: this only shows.
func recorded(r *release.Release) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, doc := range object.Split(r.Manifest) {
		obj, err := object.Parse(doc)
		if err != nil || obj == nil {
			continue
		}
		if items, err := object.Expand(obj); err == nil {
			out = append(out, items...)
		}
	}
	return out
}

// liveTables reads the release's objects and their pods as tables.
func (r *reading) liveTables(ctx context.Context, rec *release.Release) ([]ui.Resources, error) {
	objects := recorded(rec)
	tables, err := r.client.Tables(ctx, refsOf(objects), podSelectors(objects))
	if err != nil {
		return nil, err
	}
	var out []ui.Resources
	for _, t := range tables {
		if len(t.Rows) == 0 {
			continue
		}
		title := t.Version + "/" + t.Kind
		if t.Related {
			title += "(related)"
		}
		head := make([]string, len(t.Columns))
		for i, name := range t.Columns {
			head[i] = strings.ToUpper(name)
		}
		if len(head) == 0 {
			head = []string{"NAME"}
		}
		out = append(out, ui.Resources{Title: title, Rows: append([][]string{head}, t.Rows...)})
	}
	return out, nil
}

func refsOf(objects []*unstructured.Unstructured) []object.Ref {
	refs := make([]object.Ref, len(objects))
	for i, obj := range objects {
		refs[i] = object.RefOf(obj)
	}
	return refs
}

// podSelectors are those of the workloads among the objects, each once.
func podSelectors(objects []*unstructured.Unstructured) []kube.Selector {
	var out []kube.Selector
	for _, obj := range objects {
		labels, found, err := unstructured.NestedStringMap(obj.Object, "spec", "selector", "matchLabels")
		if err != nil || !found || len(labels) == 0 || obj.GroupVersionKind().Group != "apps" {
			continue
		}
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(labels)) {
			parts = append(parts, key+"="+labels[key])
		}
		s := kube.Selector{Namespace: obj.GetNamespace(), Labels: strings.Join(parts, ",")}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// liveObjects reads the release's objects, and the pods of its workloads, by
// the titles that Helm gives them.
func (r *reading) liveObjects(ctx context.Context, rec *release.Release) (map[string][]any, error) {
	objects := recorded(rec)
	refs := refsOf(objects)
	live, err := r.client.Snapshot(ctx, refs)
	if err != nil {
		return nil, err
	}
	out := map[string][]any{}
	for _, ref := range refs {
		if obj := live[ref.Key()]; obj != nil {
			title := ref.Version + "/" + ref.Kind
			out[title] = append(out[title], obj.Object)
		}
	}
	for _, s := range podSelectors(objects) {
		pods, err := r.pods(ctx, s)
		if err != nil {
			return nil, err
		}
		if len(pods) > 0 {
			out["v1/Pod(related)"] = append(out["v1/Pod(related)"], pods...)
		}
	}
	return out, nil
}

// pods reads those that a selector picks.
func (r *reading) pods(ctx context.Context, s kube.Selector) ([]any, error) {
	selector, err := labels.Parse(s.Labels)
	if err != nil {
		return nil, err
	}
	namespace := s.Namespace
	if namespace == "" {
		namespace = r.namespace
	}
	list, err := r.client.Lookup(ctx, "v1", "Pod", namespace, "")
	if err != nil {
		return nil, err
	}
	items, _ := list["items"].([]any)
	return slices.DeleteFunc(items, func(item any) bool {
		pod, _ := item.(map[string]any)
		own, _, _ := unstructured.NestedStringMap(pod, "metadata", "labels")
		return !selector.Matches(labels.Set(own))
	}), nil
}
