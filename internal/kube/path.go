package kube

import (
	"context"
	"net/url"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// parallel is how many requests of one call run side by side.
const parallel = 10

// groupPath is /api/v1 or /apis/group/version.
func groupPath(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "/api/" + gv.Version
	}
	return "/apis/" + gv.Group + "/" + gv.Version
}

// pathOf addresses a collection, or one object when a name is given.
func pathOf(gvr schema.GroupVersionResource, namespace, name string) string {
	path := groupPath(gvr.GroupVersion())
	if namespace != "" {
		path += "/namespaces/" + namespace
	}
	path += "/" + gvr.Resource
	if name != "" {
		path += "/" + name
	}
	return path
}

// place is where an object or a collection lives.
type place struct {
	resource  object.Resource
	namespace string
}

func (p place) path(name string) string { return pathOf(p.resource.GVR(), p.namespace, name) }

// locate finds the place of a reference; exact demands the very version, else
// the preferred version of the kind will do. The error for a kind that is not
// served satisfies IsUnknownKind.
func (c *Client) locate(ctx context.Context, ref object.Ref, exact bool) (place, error) {
	r, err := c.resource(ctx, ref.GVK(), exact)
	if err != nil {
		return place{}, err
	}
	p := place{resource: r}
	if r.Namespaced {
		p.namespace = c.in(ref.Namespace)
	}
	return p, nil
}

// comingFor is how long a kind whose definition we applied may take to be served.
const comingFor = 15 * time.Second

// resource maps a kind. One that is unknown causes a new discovery, since
// definitions may have come after the last one; a kind whose definition this
// client applied itself is waited for.
func (c *Client) resource(ctx context.Context, gvk schema.GroupVersionKind, exact bool) (object.Resource, error) {
	started := time.Now()
	for {
		seen := c.generation()
		if r, ok := lookUp(c.known(), gvk, exact); ok {
			return r, nil
		}
		if err := c.refresh(ctx, seen); err != nil {
			return object.Resource{}, err
		}
		if r, ok := lookUp(c.known(), gvk, exact); ok {
			return r, nil
		}
		if !c.isComing(gvk.GroupKind()) || time.Since(started) > comingFor {
			return object.Resource{}, unknownKind(gvk)
		}
		if err := sleep(ctx, firstPause, nil); err != nil {
			return object.Resource{}, err
		}
	}
}

func lookUp(catalog *object.Catalog, gvk schema.GroupVersionKind, exact bool) (object.Resource, bool) {
	if catalog == nil {
		return object.Resource{}, false
	}
	if r, ok := catalog.Find(gvk); ok || exact {
		return r, ok
	}
	return catalog.FindKind(gvk.GroupKind())
}

// noteDefinition remembers which kind a CustomResourceDefinition will bring.
func (c *Client) noteDefinition(obj *unstructured.Unstructured) {
	if !object.RefOf(obj).IsCRD() {
		return
	}
	group, _, _ := unstructured.NestedString(obj.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(obj.Object, "spec", "names", "kind")
	c.served.mu.Lock()
	defer c.served.mu.Unlock()
	if c.served.coming == nil {
		c.served.coming = map[schema.GroupKind]bool{}
	}
	c.served.coming[schema.GroupKind{Group: group, Kind: kind}] = true
}

func (c *Client) isComing(gk schema.GroupKind) bool {
	c.served.mu.Lock()
	defer c.served.mu.Unlock()
	return c.served.coming[gk]
}

// selection is the query of a list or watch.
func selection(labels, fields string) url.Values {
	q := url.Values{}
	if labels != "" {
		q.Set("labelSelector", labels)
	}
	if fields != "" {
		q.Set("fieldSelector", fields)
	}
	return q
}
