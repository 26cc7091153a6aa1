package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// The outcome comes before all else that is written of the history; the rest
// depends on it alone.
func TestHistoryIsBroughtUpToDateAtOnce(t *testing.T) {
	record := func(revision int, status release.Status) *release.Release {
		return &release.Release{Name: "web", Namespace: "shop", Revision: revision, Info: release.Info{Status: status}}
	}
	p := plan.Build(plan.Upgrade, plan.Inputs{
		Next: record(5, ""), Supersede: []*release.Release{record(4, release.Deployed)},
		Forget: []*release.Release{record(1, release.Superseded), record(2, release.Superseded)},
	})
	want := `upgrade web in shop, revision 5
prepare:
    record revision 5 as pending-upgrade (intent comes before the change)
record:
    record revision 5 as deployed (every step before it succeeded)
  | record revision 4 as superseded (revision 5 takes its place)
  | forget revision 1 (beyond the history limit)
  | forget revision 2 (beyond the history limit)
`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(p.String(), "\n")); diff != "" {
		t.Error(diff)
	}
}
