// Package object says which Kubernetes object is meant, how sets of objects
// compare and order, and splits manifests into documents. It knows no client
// and does no I/O; every other package may use it.
package object

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Ref names one object together with the API version to reach it by.
// Namespace is empty for cluster-scoped objects, and for namespaced ones
// until Scoped has filled it in.
type Ref struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// Key is the identity of an object across API versions: two Refs with the
// same Key mean the same object in the cluster (a Deployment of
// extensions/v1beta1 and one of apps/v1 differ in group and so in Key, as
// they do for Helm).
type Key struct {
	Group, Kind, Namespace, Name string
}

// RefOf reads the reference out of an object's own fields.
func RefOf(u *unstructured.Unstructured) Ref {
	gvk := u.GroupVersionKind()
	return Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Namespace: u.GetNamespace(), Name: u.GetName()}
}

// Key drops the version.
func (r Ref) Key() Key {
	return Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
}

// GVK is the group, version and kind, as apimachinery spells them.
func (r Ref) GVK() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
}

// APIVersion is the apiVersion as a manifest writes it, such as "v1" or "apps/v1".
func (r Ref) APIVersion() string { return r.GVK().GroupVersion().String() }

// String is the one spelling of an object everywhere in Pintle:
// Kind/namespace/name, or Kind/name where there is no namespace.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind + "/" + r.Name
	}
	return strings.Join([]string{r.Kind, r.Namespace, r.Name}, "/")
}

// Short is Kind/name, for lines whose namespace is plain from the context.
func (r Ref) Short() string { return r.Kind + "/" + r.Name }

// Is reports whether the reference is of that group and kind, whatever its version.
func (r Ref) Is(group, kind string) bool { return r.Group == group && r.Kind == kind }

// IsCRD reports whether the reference names a CustomResourceDefinition.
func (r Ref) IsCRD() bool { return r.Is("apiextensions.k8s.io", "CustomResourceDefinition") }
