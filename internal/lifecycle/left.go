package lifecycle

import (
	"context"
	"errors"
	"slices"

	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// buried takes revisions off those that dead runs have left. What is marked says
// by itself that its run was killed; the others must stay until what their hooks did is kept.
func (c *claim) buried(dead []int, h *history) {
	held := c.lock()
	if held == nil {
		return
	}
	var marked, owed []int
	for _, n := range dead {
		switch {
		case n == h.resumed:
		case slices.Contains(h.killed, n):
			marked = append(marked, n)
		default:
			owed = append(owed, n)
		}
	}
	held.Settled(marked...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = owed
}

// settleOwed notes that nothing is to be done any more about what dead runs
// have left.
func (c *claim) settleOwed() {
	if held := c.lock(); held != nil {
		c.mu.Lock()
		owed := c.owed
		c.owed = nil
		c.mu.Unlock()
		held.Settled(owed...)
	}
}

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
