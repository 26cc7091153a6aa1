package kube

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/pintle-dev/pintle/internal/object"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// maxReviews is how many questions about permissions are asked at once.
const maxReviews = 8

// Denied gives those of the accesses that we have no permission for, in their
// order. One request for each namespace answers for most; what it leaves open is asked
// one by one. Kinds that are not served are not looked at, and a server that
// answers no such questions denies nothing.
func (c *Client) Denied(ctx context.Context, wanted []object.Access) ([]object.Access, error) {
	granted, err := c.grants(ctx, wanted)
	if err != nil {
		return nil, err
	}
	denied := make([]bool, len(wanted))
	asked := map[question][]int{}
	var order []question
	for i, a := range wanted {
		p, known := c.knownPlace(a.Ref)
		if !known || granted[p.namespace].allow(p.resource, a) {
			continue
		}
		q := question{a.Verb, p, a.Ref.Name}
		if asked[q] == nil {
			order = append(order, q)
		}
		asked[q] = append(asked[q], i)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxReviews)
	for _, q := range order {
		group.Go(func() error {
			ok, err := c.CanI(ctx, q.verb, q.resource().GVR(), q.namespace, q.name)
			for _, i := range asked[q] {
				denied[i] = !ok && err == nil
			}
			return unanswered(err)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var out []object.Access
	for i, a := range wanted {
		if denied[i] {
			out = append(out, a)
		}
	}
	return out, nil
}

// unanswered drops errors that mean that nobody answers such questions here.
func unanswered(err error) error {
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
		return nil
	}
	return err
}
