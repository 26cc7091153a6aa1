package lifecycle

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// checkShared warns of objects that the chart holds both as a hook and as an
// ordinary object, where the hook's delete policy would take the live one.
func (r *reader) checkShared(c content) {
	shared := object.NewSet(plan.Shared(c.wanted, c.hooks)...)
	for _, h := range c.hooks {
		ref := object.RefOf(h.Object)
		if !shared.Has(ref.Key()) || len(h.Policies()) == 0 {
			continue
		}
		doc := h.Document()
		r.problems.Add(diag.Problem{
			Severity: diag.Warning, Summary: fmt.Sprintf("%s is both a hook and an ordinary object of the chart", ref),
			Detail: "it is updated in place: deleting it as a hook would take the one that is in use", File: doc.Source, Line: doc.Line, Rendered: true,
		})
	}
}
