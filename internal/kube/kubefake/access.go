package kubefake

import (
	"context"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Denied gives the accesses that the test has ordered to be refused for lack
// of permission, every time.
func (c *Cluster) Denied(_ context.Context, wanted []object.Access) ([]object.Access, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var denied []object.Access
	for _, a := range wanted {
		for _, r := range c.refusals {
			if r.left < 0 && apierrors.IsForbidden(r.err) && (r.verb == "*" || r.verb == a.Verb) && matches(r.pattern, a.Ref) {
				denied = append(denied, a)
				break
			}
		}
	}
	return denied, nil
}
