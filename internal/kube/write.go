package kube

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// clockSlack is how far a creation time may lie before the request: the API
// server tells times in whole seconds.
const clockSlack = 2 * time.Second

// create sends a POST, and finds out what became of one whose answer was lost.
func (c *Client) create(ctx context.Context, r request, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	started := time.Now()
	pause, lost := firstPause, false
	for {
		stored, lostNow, err := c.tryOne(ctx, r)
		lost = lost || lostNow
		if err == nil || !lost || ctx.Err() != nil || !lostNow && !apierrors.IsAlreadyExists(err) || obj.GetName() == "" {
			return stored, err
		}
		found, missing := c.one(ctx, c.readBack(r, obj))
		if missing == nil && c.isOurs(found, obj, started) {
			return found, nil
		}
		if missing == nil { // what the lost answer said
			return nil, c.refused(r.verb, r.ref, apierrors.NewAlreadyExists(groupResource(r.ref), r.ref.Name))
		}
		if !apierrors.IsNotFound(missing) || time.Since(started) > c.retryFor {
			return nil, err
		}
		if slept := sleep(ctx, c.pauseAfter(err, pause), err); slept != nil {
			return nil, c.refused(r.verb, r.ref, slept)
		}
		pause = min(2*pause, longest)
	}
}

// update sends a PUT. A repeated one that conflicts with what the first one
// has stored is done.
func (c *Client) update(ctx context.Context, r request, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	stored, lost, err := c.tryOne(ctx, r)
	if !lost || !apierrors.IsConflict(err) {
		return stored, err
	}
	read := r
	read.verb, read.body, read.contentType, read.query = "get", nil, "", nil
	if found, readErr := c.one(ctx, read); readErr == nil && holds(found.Object, withoutVersion(obj)) {
		return found, nil
	}
	return nil, err
}

// readBack asks for the object that a create was to store.
func (c *Client) readBack(r request, obj *unstructured.Unstructured) request {
	return request{verb: "get", path: r.path + "/" + obj.GetName(), ref: r.ref}
}

// isOurs tells that an object is the one that a request of that time created:
// by the mark of its run where it has one, which webhooks and defaults leave
// alone, else by all that it holds.
func (c *Client) isOurs(found, sent *unstructured.Unstructured, requested time.Time) bool {
	if mark := object.RunMark(sent); mark != "" {
		return object.RunMark(found) == mark
	}
	since := requested.Add(time.Duration(c.ahead.Load())).Add(-clockSlack)
	return !found.GetCreationTimestamp().Time.Before(since) && holds(found.Object, withoutVersion(sent))
}

func withoutVersion(obj *unstructured.Unstructured) map[string]any {
	obj = obj.DeepCopy()
	unstructured.RemoveNestedField(obj.Object, "metadata", "resourceVersion")
	unstructured.RemoveNestedField(obj.Object, "metadata", "namespace") // the place says it
	unstructured.RemoveNestedField(obj.Object, "metadata", "creationTimestamp")
	return obj.Object
}

// holds reports whether everything in part is in whole too.
func holds(whole, part any) bool {
	switch part := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		for k, v := range part {
			if !ok || v != nil && !holds(w[k], v) {
				return false
			}
		}
		return ok || len(part) == 0
	case []any:
		w, ok := whole.([]any)
		if !ok || len(w) != len(part) {
			return len(part) == 0 && whole == nil
		}
		for i := range part {
			if !holds(w[i], part[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(whole, part) || number(whole) != nil && number(part) != nil && *number(whole) == *number(part)
}

func number(v any) *float64 {
	var f float64
	switch n := v.(type) {
	case int64:
		f = float64(n)
	case int:
		f = float64(n)
	case float64:
		f = n
	default:
		return nil
	}
	return &f
}

// noteTime learns the server's clock from an answer.
func (c *Client) noteTime(h http.Header) {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		c.ahead.Store(int64(time.Until(at)))
	}
}
