package lifecycle

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/release"
)

// tellMigration says that a release which was applied client-side, by Helm 3
// or on request by Helm 4, is applied server-side from now on. The engine
// migrates the field managers of each object as it applies it.
func (s *Service) tellMigration(past []*release.Release) {
	for _, r := range past {
		if r.ApplyMethod == release.ServerSide {
			continue
		}
		s.warn(diag.Problem{
			Severity: diag.Note, Summary: fmt.Sprintf("release %s was applied client-side until now; from this revision on it is applied server-side", r.Name),
			Detail: "the fields that it owns are taken over; nothing is to be done",
		})
		return
	}
}
