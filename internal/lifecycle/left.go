package lifecycle

import (
	"context"
	"errors"

	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// recordsOf are the objects that hold the records of the revisions, as far as
// they are known: without one of them the lock stays until the next run on the release.
func (c *claim) recordsOf(ctx context.Context, revisions []int) []metav1.OwnerReference {
	var out []metav1.OwnerReference
	for _, n := range revisions {
		owner, err := c.service.Records.Owner(ctx, c.name, n)
		switch {
		case errors.Is(err, release.ErrNotFound): // nothing is to be done about that one
		case err != nil || owner == nil || owner.Kind == "":
			return nil
		default:
			out = append(out, *owner)
		}
	}
	return out
}
