package kube

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// asApply is the content type of a server-side apply; the API server reads
// JSON as the YAML that it is.
const asApply = string(types.ApplyPatchType)

// Get reads one object. The kind is looked for in the reference's version
// first, else in the version that the cluster prefers.
func (c *Client) Get(ctx context.Context, ref object.Ref) (*unstructured.Unstructured, error) {
	p, err := c.locate(ctx, ref, false)
	if err != nil {
		return nil, c.refused("get", ref, err)
	}
	return c.one(ctx, request{verb: "get", path: p.path(ref.Name), ref: ref})
}

// Apply sends a server-side apply and returns the object as stored.
func (c *Client) Apply(ctx context.Context, obj *unstructured.Unstructured, opts metav1.PatchOptions) (*unstructured.Unstructured, error) {
	q := url.Values{}
	set(q, "fieldManager", opts.FieldManager)
	set(q, "fieldValidation", opts.FieldValidation)
	q["dryRun"] = opts.DryRun
	if opts.Force != nil {
		q.Set("force", strconv.FormatBool(*opts.Force))
	}
	r := request{verb: "patch", query: q, contentType: asApply, ref: object.RefOf(obj)}
	return c.send(ctx, r, obj)
}

// Create sends a POST and returns the object as stored. When no answer came
// it looks whether the object is there: it is taken for the one that was sent
// if it bears the same run's mark (see object.WithRunMark) or, without one, if it
// holds all of what was sent and is no older than the request, and sent again if
// there is none. An object that was there before is never returned.
func (c *Client) Create(ctx context.Context, obj *unstructured.Unstructured, opts metav1.CreateOptions) (*unstructured.Unstructured, error) {
	q := url.Values{}
	set(q, "fieldManager", opts.FieldManager)
	set(q, "fieldValidation", opts.FieldValidation)
	q["dryRun"] = opts.DryRun
	r := request{verb: "create", query: q, contentType: asJSON, ref: object.RefOf(obj)}
	return c.send(ctx, r, obj)
}

// Delete asks for deletion and does not wait for it. An attempt that follows
// one whose answer was lost may find the object gone; that is reported as not
// found, as if someone else had been faster.
func (c *Client) Delete(ctx context.Context, ref object.Ref, opts metav1.DeleteOptions) error {
	p, err := c.locate(ctx, ref, false)
	if err != nil {
		return c.refused("delete", ref, err)
	}
	opts.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"}
	body, err := json.Marshal(opts)
	if err != nil {
		return c.refused("delete", ref, err)
	}
	_, err = c.do(ctx, request{verb: "delete", path: p.path(ref.Name), contentType: asJSON, body: body, ref: ref})
	return err
}

// servedWithin is how long a path of a discovered kind may answer "no such
// path": API servers announce a new kind a moment before they handle it.
const servedWithin = 5 * time.Second

// send writes an object to its place.
func (c *Client) send(ctx context.Context, r request, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	p, err := c.locate(ctx, r.ref, true)
	if err != nil {
		return nil, c.refused(r.verb, r.ref, err)
	}
	if r.ref.Namespace = p.namespace; r.verb == "create" {
		r.path = p.path("")
	} else {
		r.path = p.path(r.ref.Name)
	}
	if r.body, err = json.Marshal(obj.Object); err != nil {
		return nil, c.refused(r.verb, r.ref, err)
	}
	for started := time.Now(); ; {
		stored, err := c.write(ctx, r, obj)
		if err == nil && len(r.query["dryRun"]) == 0 {
			c.noteDefinition(stored)
		}
		if err == nil || !pathNotServed(err) || time.Since(started) > servedWithin {
			return stored, err
		}
		if err := sleep(ctx, 2*firstPause, err); err != nil {
			return nil, c.refused(r.verb, r.ref, err)
		}
	}
}

func (c *Client) write(ctx context.Context, r request, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if r.verb == "create" {
		return c.create(ctx, r, obj)
	}
	return c.one(ctx, r)
}

// one sends a request whose answer is one object.
func (c *Client) one(ctx context.Context, r request) (*unstructured.Unstructured, error) {
	obj, _, err := c.tryOne(ctx, r)
	return obj, err
}

func (c *Client) tryOne(ctx context.Context, r request) (obj *unstructured.Unstructured, lost bool, err error) {
	resp, lost, err := c.try(ctx, r)
	if err != nil {
		return nil, lost, err
	}
	if obj, err = decode(resp.body); err != nil {
		return nil, lost, c.refused(r.verb, r.ref, err)
	}
	return obj, lost, nil
}

func set(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}
