package kube

import (
	"context"
	"fmt"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Lookup answers the template function of that name as Helm does: one object
// by its name, or with an empty name the list of all in the namespace (in all
// namespaces where that is empty too). What is not there is an empty map; a
// group version that the cluster does not serve is an error.
func (c *Client) Lookup(ctx context.Context, apiVersion, kind, namespace, name string) (map[string]any, error) {
	gvk := schema.FromAPIVersionAndKind(apiVersion, kind)
	r, err := c.resource(ctx, gvk, true)
	if IsUnknownKind(err) && c.serves(gvk.GroupVersion()) {
		return map[string]any{}, nil
	}
	if err != nil {
		return map[string]any{}, fmt.Errorf("looking up %s %s: %w", apiVersion, kind, err)
	}
	p := place{resource: r}
	if r.Namespaced {
		p.namespace = namespace
	}
	ref := object.Ref{Group: gvk.Group, Version: gvk.Version, Kind: kind, Namespace: p.namespace, Name: name}
	q := request{verb: "get", path: p.path(name), ref: ref}
	if name == "" {
		q.verb = "list"
	}
	obj, err := c.one(ctx, q)
	if apierrors.IsNotFound(err) {
		return map[string]any{}, nil
	}
	if err != nil {
		return map[string]any{}, err
	}
	return obj.Object, nil
}

func (c *Client) serves(gv schema.GroupVersion) bool {
	catalog := c.known()
	if catalog == nil {
		return false
	}
	for _, v := range catalog.APIVersions() {
		if v == gv.String() {
			return true
		}
	}
	return false
}
