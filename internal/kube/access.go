package kube

import (
	"context"
	"encoding/json"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// CanI asks whether we may do something; an empty namespace asks for all of
// them, an empty name for every object. It needs no right of its own.
func (c *Client) CanI(ctx context.Context, verb string, gvr schema.GroupVersionResource, namespace, name string) (bool, error) {
	ref := object.Ref{Group: "authorization.k8s.io", Version: "v1", Kind: "SelfSubjectAccessReview"}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": ref.Kind,
		"spec": map[string]any{"resourceAttributes": map[string]any{
			"verb": verb, "group": gvr.Group, "version": gvr.Version, "resource": gvr.Resource,
			"namespace": namespace, "name": name,
		}},
	})
	if err != nil {
		return false, err
	}
	resp, err := c.do(ctx, request{
		verb: "create", path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", contentType: asJSON, body: body, ref: ref, asks: true,
	})
	if err != nil {
		return false, err
	}
	var review struct{ Status struct{ Allowed bool } }
	err = json.Unmarshal(resp.body, &review)
	return review.Status.Allowed, err
}
