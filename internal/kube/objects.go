package kube

import (
	"context"
	"encoding/json"

	"github.com/pintle-dev/pintle/internal/object"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Objects reads and writes objects of resources that are known beforehand
// (Secrets, ConfigMaps, Leases): it needs no discovery. Errors are
// *object.RequestError; an empty namespace means all of them, or none for
// cluster-scoped resources.
type Objects struct{ client *Client }

// Objects gives access by resource instead of by kind.
func (c *Client) Objects() *Objects { return &Objects{client: c} }

// Get reads one object.
func (o *Objects) Get(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	return o.client.one(ctx, request{verb: "get", path: pathOf(gvr, namespace, name), ref: refTo(gvr, namespace, name)})
}

// List reads all objects that the label selector matches, page by page.
func (o *Objects) List(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]unstructured.Unstructured, error) {
	r := request{verb: "list", path: pathOf(gvr, namespace, ""), query: selection(selector, ""), ref: refTo(gvr, namespace, "")}
	found, err := o.client.list(ctx, r)
	if err != nil {
		return nil, err
	}
	out := make([]unstructured.Unstructured, len(found.items))
	for i, item := range found.items {
		out[i].Object = item
	}
	return out, nil
}

// ListMetadata is List without the objects' contents: the API server sends
// names, labels and annotations only.
func (o *Objects) ListMetadata(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]metav1.PartialObjectMetadata, error) {
	r := request{verb: "list", path: pathOf(gvr, namespace, ""), query: selection(selector, ""), ref: refTo(gvr, namespace, "")}
	return o.client.listMetadata(ctx, r)
}

// Create stores a new object and returns it as stored; see Client.Create for
// what happens when an answer is lost.
func (o *Objects) Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return o.write(ctx, "create", pathOf(gvr, obj.GetNamespace(), ""), obj)
}

// Update replaces an object; with a resourceVersion in it, only that version
// of it. An update whose answer was lost is repeated; meeting its own earlier
// self is no conflict.
func (o *Objects) Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return o.write(ctx, "update", pathOf(gvr, obj.GetNamespace(), obj.GetName()), obj)
}

// Delete removes one object, without waiting for what depends on it.
func (o *Objects) Delete(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) error {
	_, err := o.client.do(ctx, request{verb: "delete", path: pathOf(gvr, namespace, name), ref: refTo(gvr, namespace, name)})
	return err
}

// DeleteVersion removes one object if it is still the one, and in the version,
// that obj names; anything else of its name is a conflict.
func (o *Objects) DeleteVersion(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) error {
	ref, uid, version := object.RefOf(obj), obj.GetUID(), obj.GetResourceVersion()
	body, err := json.Marshal(metav1.DeleteOptions{
		TypeMeta:      metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
	})
	if err != nil {
		return o.client.refused("delete", ref, err)
	}
	_, err = o.client.do(ctx, request{
		verb: "delete", path: pathOf(gvr, obj.GetNamespace(), obj.GetName()), contentType: asJSON, body: body, ref: ref,
	})
	return err
}

func (o *Objects) write(ctx context.Context, verb, path string, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	r := request{
		verb: verb, path: path, contentType: asJSON, ref: object.RefOf(obj),
		query: map[string][]string{"fieldManager": {FieldManager}},
	}
	var err error
	if r.body, err = json.Marshal(obj.Object); err != nil {
		return nil, o.client.refused(verb, r.ref, err)
	}
	if verb == "create" {
		return o.client.create(ctx, r, obj)
	}
	return o.client.update(ctx, r, obj)
}

// refTo names an object in errors where only its resource is known.
func refTo(gvr schema.GroupVersionResource, namespace, name string) object.Ref {
	return object.Ref{Group: gvr.Group, Version: gvr.Version, Kind: gvr.Resource, Namespace: namespace, Name: name}
}
