package kubefake

import (
	"context"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Objects is the counterpart of kube.Objects: the cluster's objects by
// resource instead of by kind.
type Objects struct{ cluster *Cluster }

// Objects gives access by resource.
func (c *Cluster) Objects() *Objects { return &Objects{cluster: c} }

func (o *Objects) ref(gvr schema.GroupVersionResource, namespace, name string) object.Ref {
	o.cluster.mu.Lock()
	defer o.cluster.mu.Unlock()
	ref := object.Ref{Group: gvr.Group, Version: gvr.Version, Kind: gvr.Resource, Namespace: namespace, Name: name}
	for _, r := range Kinds() {
		if r.GVR() == gvr {
			ref.Kind = r.GVK.Kind
		}
	}
	return ref
}

// Get reads one object.
func (o *Objects) Get(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	return o.cluster.Get(ctx, o.ref(gvr, namespace, name))
}

// List reads all objects of a namespace (or of all, when it is empty) that
// the label selector matches.
func (o *Objects) List(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]unstructured.Unstructured, error) {
	match, err := labels.Parse(selector)
	if err != nil {
		return nil, err
	}
	ref := o.ref(gvr, namespace, "")
	c := o.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.record("list", ref); err != nil {
		return nil, &object.RequestError{Verb: "list", Ref: ref, Err: err}
	}
	var out []unstructured.Unstructured
	for _, key := range c.sorted() {
		obj := c.objects[key]
		if key.Group == ref.Group && key.Kind == ref.Kind && (namespace == "" || key.Namespace == namespace) && match.Matches(labels.Set(obj.GetLabels())) {
			out = append(out, *obj.DeepCopy())
		}
	}
	return out, ctx.Err()
}

// ListMetadata is List with the objects' metadata alone.
func (o *Objects) ListMetadata(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]metav1.PartialObjectMetadata, error) {
	objs, err := o.List(ctx, gvr, namespace, selector)
	if err != nil {
		return nil, err
	}
	out := make([]metav1.PartialObjectMetadata, len(objs))
	for i := range objs {
		obj := &objs[i]
		out[i].ObjectMeta = metav1.ObjectMeta{
			Name: obj.GetName(), Namespace: obj.GetNamespace(), UID: obj.GetUID(), ResourceVersion: obj.GetResourceVersion(),
			CreationTimestamp: obj.GetCreationTimestamp(), Labels: obj.GetLabels(), Annotations: obj.GetAnnotations(),
			OwnerReferences: obj.GetOwnerReferences(),
		}
	}
	return out, nil
}

// Create stores a new object.
func (o *Objects) Create(ctx context.Context, _ schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return o.cluster.Create(ctx, obj, metav1.CreateOptions{})
}

// Update replaces an object; with a resourceVersion in it, only that version.
func (o *Objects) Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	ref := object.RefOf(obj)
	c := o.cluster
	return c.asked(ctx, "update", ref, func(key object.Key) (*unstructured.Unstructured, error) {
		live := c.objects[key]
		if live == nil {
			return nil, c.notFound(ref)
		}
		if v := obj.GetResourceVersion(); v != "" && v != live.GetResourceVersion() {
			return nil, apierrors.NewConflict(gvr.GroupResource(), ref.Name, errModified)
		}
		next := obj.DeepCopy()
		next.SetNamespace(key.Namespace)
		next.SetUID(live.GetUID())
		next.SetCreationTimestamp(live.GetCreationTimestamp())
		c.store(key, next)
		return next.DeepCopy(), nil
	})
}

// Delete removes one object.
func (o *Objects) Delete(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) error {
	return o.cluster.Delete(ctx, o.ref(gvr, namespace, name), metav1.DeleteOptions{})
}
