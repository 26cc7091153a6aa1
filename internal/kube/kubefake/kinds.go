package kubefake

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// Kinds are the kinds that every fake cluster serves.
func Kinds() []object.Resource {
	var out []object.Resource
	for _, line := range []struct {
		apiVersion string
		namespaced bool
		kinds      string
	}{
		{"v1", true, "ConfigMap Secret Service ServiceAccount Pod PersistentVolumeClaim Event Endpoints ReplicationController ResourceQuota LimitRange"},
		{"v1", false, "Namespace Node PersistentVolume"},
		{"apps/v1", true, "Deployment StatefulSet DaemonSet ReplicaSet"},
		{"batch/v1", true, "Job CronJob"},
		{"networking.k8s.io/v1", true, "Ingress NetworkPolicy"},
		{"policy/v1", true, "PodDisruptionBudget"},
		{"autoscaling/v2", true, "HorizontalPodAutoscaler"},
		{"coordination.k8s.io/v1", true, "Lease"},
		{"rbac.authorization.k8s.io/v1", true, "Role RoleBinding"},
		{"rbac.authorization.k8s.io/v1", false, "ClusterRole ClusterRoleBinding"},
		{"apiextensions.k8s.io/v1", false, "CustomResourceDefinition"},
		{"storage.k8s.io/v1", false, "StorageClass"},
		{"scheduling.k8s.io/v1", false, "PriorityClass"},
		{"admissionregistration.k8s.io/v1", false, "ValidatingWebhookConfiguration MutatingWebhookConfiguration"},
	} {
		for _, kind := range strings.Fields(line.kinds) {
			gvk := schema.FromAPIVersionAndKind(line.apiVersion, kind)
			out = append(out, object.Resource{GVK: gvk, Name: plural(kind), Namespaced: line.namespaced, Verbs: allVerbs()})
		}
	}
	return out
}

func allVerbs() []string {
	return []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
}

func plural(kind string) string {
	lower := strings.ToLower(kind)
	switch {
	case strings.HasSuffix(lower, "s"): // Endpoints stays, Ingress gets its es
		if kind == "Endpoints" {
			return lower
		}
		return lower + "es"
	case strings.HasSuffix(lower, "y"):
		return strings.TrimSuffix(lower, "y") + "ies"
	default:
		return lower + "s"
	}
}

// Serve adds a kind.
func (c *Cluster) Serve(r object.Resource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Verbs == nil {
		r.Verbs = allVerbs()
	}
	c.catalog = c.catalog.With(r)
}

// Discover gives what is served at the moment, as version v1.35.4.
func (c *Cluster) Discover(context.Context) (*object.Catalog, *version.Info, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.catalog, &version.Info{Major: "1", Minor: "35", GitVersion: "v1.35.4"}, nil
}

// Catalog is what is served at the moment.
func (c *Cluster) Catalog() *object.Catalog {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.catalog
}

// key finds the identity under which an object is kept: its namespace filled
// in or dropped as the kind demands.
func (c *Cluster) key(ref object.Ref) (object.Key, error) {
	r, err := c.kind(ref.GVK())
	if err != nil {
		return object.Key{}, err
	}
	return keyIn(r, ref), nil
}

func keyIn(r object.Resource, ref object.Ref) object.Key {
	key := ref.Key()
	switch {
	case !r.Namespaced:
		key.Namespace = ""
	case key.Namespace == "":
		key.Namespace = "default"
	}
	return key
}

func (c *Cluster) kind(gvk schema.GroupVersionKind) (object.Resource, error) {
	if r, ok := c.catalog.Find(gvk); ok {
		return r, nil
	}
	if r, ok := c.catalog.FindKind(gvk.GroupKind()); ok && gvk.Version == "" {
		return r, nil
	}
	return object.Resource{}, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
}

// define serves the kinds of a CustomResourceDefinition.
func (c *Cluster) define(crd *unstructured.Unstructured) {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	name, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
	scope, _, _ := unstructured.NestedString(crd.Object, "spec", "scope")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, v := range versions {
		entry, _ := v.(map[string]any)
		version, _ := entry["name"].(string)
		c.catalog = c.catalog.With(object.Resource{
			GVK:  schema.GroupVersionKind{Group: group, Version: version, Kind: kind},
			Name: name, Namespaced: scope == "Namespaced", Verbs: allVerbs(),
		})
	}
}

// sorted are the keys of all objects in a stable order.
func (c *Cluster) sorted() []object.Key {
	keys := make([]object.Key, 0, len(c.objects))
	for k := range c.objects {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, inOrder)
	return keys
}

func inOrder(a, b object.Key) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
