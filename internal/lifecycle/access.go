package lifecycle

import (
	"context"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// checkAccess finds out before anything is touched whether a step of the plan
// will be refused for lack of permission: half a release helps nobody.
func (s *Service) checkAccess(ctx context.Context, p *plan.Plan) error {
	needs := engine.Needs(p)
	if len(needs) == 0 {
		return nil
	}
	defer s.phase("check permissions")()
	return s.gathering(ctx, func(ctx context.Context) error {
		denied, err := s.Cluster.Denied(ctx, needs)
		if err != nil {
			return err
		}
		return missing(denied).Err()
	})
}

// missing words denied accesses, one problem for each object.
func missing(denied []object.Access) diag.List {
	verbs := map[object.Ref][]string{}
	var order []object.Ref
	for _, a := range denied {
		if verbs[a.Ref] == nil {
			order = append(order, a.Ref)
		}
		verbs[a.Ref] = append(verbs[a.Ref], a.Verb)
	}
	var problems diag.List
	for _, ref := range order {
		p := diag.Problem{Summary: "no permission to " + strings.Join(verbs[ref], " and ") + " " + ref.String()}
		if ref.Name == "" {
			p.Summary = "no permission to " + strings.Join(verbs[ref], " and ") + " objects of kind " + ref.Kind
			if ref.Namespace != "" {
				p.Detail = "in namespace " + ref.Namespace
			}
		}
		problems.Add(p)
	}
	return problems
}
