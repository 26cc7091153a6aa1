package release

import (
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// hookHead is what a hook's manifest says of itself. The policies that a chart
// wrote are read from here and not from the record, where Helm mixes them with
// its default.
type hookHead struct {
	group, kind string
	annotations map[string]string
}

func headOf(obj *unstructured.Unstructured) *hookHead {
	gvk := obj.GroupVersionKind()
	return &hookHead{group: gvk.Group, kind: gvk.Kind, annotations: object.Annotations(obj)}
}

// Document is the hook's manifest as a document of its template.
func (h *Hook) Document() object.Document {
	return object.Document{Source: h.Path, Line: 1, Text: h.Manifest}
}

// Parse reads the hook's manifest and remembers what steers the hook, so that
// the methods about policies and options need not parse it again. Errors are
// *object.ParseError. It must not run beside other methods of the same hook.
func (h *Hook) Parse() (*unstructured.Unstructured, error) {
	obj, err := object.Parse(h.Document())
	if err != nil {
		return nil, err
	}
	if obj == nil {
		obj = &unstructured.Unstructured{Object: map[string]any{}}
	}
	h.head = headOf(obj)
	return obj, nil
}

// steering is the remembered head, or a fresh look at the manifest. A manifest
// that cannot be parsed steers nothing: whoever runs the hook meets the error.
func (h *Hook) steering() *hookHead {
	if h.head != nil {
		return h.head
	}
	obj, err := object.Parse(h.Document())
	if err != nil || obj == nil {
		return &hookHead{kind: h.Kind}
	}
	return headOf(obj)
}

// written are the policies that the chart wrote, those without a meaning included.
func (h *hookHead) written() []DeletePolicy {
	var policies []DeletePolicy
	for _, name := range splitList(h.annotations[DeletePolicyAnnotation]) {
		policies = append(policies, DeletePolicy(name))
	}
	return policies
}

func (h *hookHead) isCRD() bool {
	return h.group == "apiextensions.k8s.io" && h.kind == "CustomResourceDefinition"
}

// inPlaceKinds are those that are updated where they are when the chart wrote
// no delete policy: what they hold, or who refers to them, must survive.
var inPlaceKinds = []schema.GroupKind{
	{Kind: "Secret"},
	{Kind: "ConfigMap"},
	{Kind: "PersistentVolumeClaim"},
	{Kind: "ServiceAccount"},
	{Kind: "Service"},
	{Group: "apps", Kind: "Deployment"},
	{Group: "rbac.authorization.k8s.io", Kind: "Role"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"},
}

// InPlace reports whether an existing object of the hook's name is updated
// where it is: kinds that hold something, as long as the chart wrote no delete
// policy, and CustomResourceDefinitions always.
func (h *Hook) InPlace() bool {
	head := h.steering()
	if head.isCRD() {
		return true
	}
	return len(head.written()) == 0 && slices.Contains(inPlaceKinds, schema.GroupKind{Group: head.group, Kind: head.kind})
}

// Replaces reports whether the policies in force delete an existing object of
// the hook's name before the hook is created. A leftover of the same hook is
// in the way without that policy too; see the planner for what happens then.
func (h *Hook) Replaces() bool { return slices.Contains(h.Policies(), BeforeHookCreation) }

// Policies are the delete policies in force: those that the chart wrote, or,
// where it wrote none, before-hook-creation, except for hooks that are updated
// in place. A CustomResourceDefinition is never deleted.
func (h *Hook) Policies() []DeletePolicy {
	head := h.steering()
	written := head.written()
	switch {
	case head.isCRD():
		return nil
	case len(written) > 0:
		return written
	case h.InPlace():
		return nil
	default:
		return []DeletePolicy{BeforeHookCreation}
	}
}

// splitList reads a comma-separated annotation: blanks and case are ignored,
// empty entries left out.
func splitList(value string) []string {
	var out []string
	for entry := range strings.SplitSeq(value, ",") {
		if entry = strings.ToLower(strings.TrimSpace(entry)); entry != "" {
			out = append(out, entry)
		}
	}
	return out
}
