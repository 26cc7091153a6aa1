package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// checkOtherNamespaces finds objects in namespaces that neither exist nor come
// with the release: as an object of it, or perhaps by a hook that runs before.
func (r *reader) checkOtherNamespaces(ctx context.Context, s *Service, c content, before release.Event) error {
	users := map[string]object.Parsed{}
	for _, w := range slices.Backward(c.wanted) {
		users[w.Ref().Namespace] = w
	}
	for _, h := range c.hooks {
		if h.On(before) {
			return nil
		}
		if _, known := users[h.Object.GetNamespace()]; !known {
			users[h.Object.GetNamespace()] = object.Parsed{Document: h.Document(), Object: h.Object}
		}
	}
	delete(users, "")
	delete(users, r.namespace)
	for _, w := range c.wanted {
		if w.Ref().Is("", "Namespace") {
			delete(users, w.Ref().Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(users)) {
		_, err := s.Cluster.Get(ctx, object.Ref{Version: "v1", Kind: "Namespace", Name: name})
		switch {
		case apierrors.IsNotFound(err):
			user := users[name]
			r.problems.Add(diag.Problem{
				Summary: fmt.Sprintf("namespace %s does not exist", name), Detail: "needed by " + user.Ref().String(),
				File: user.Source, Line: user.Line, Rendered: true,
			})
		case apierrors.IsForbidden(err): // not everyone who may deploy may read namespaces
		case err != nil:
			return err
		}
	}
	return nil
}
