package release_test

import (
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/release"
)

// rev builds a revision with a status and a description.
func rev(n int, s release.Status, description string) *release.Release {
	return &release.Release{Name: "shop", Revision: n, Info: release.Info{Status: s, Description: description}}
}

func TestLastAndDeployed(t *testing.T) {
	history := []*release.Release{
		rev(3, release.Failed, ""), rev(1, release.Superseded, ""), rev(2, release.Deployed, ""),
	}
	if got := release.Last(history); got.Revision != 3 {
		t.Errorf("last is %d", got.Revision)
	}
	if got := release.LastDeployed(history); got.Revision != 2 {
		t.Errorf("deployed is %d", got.Revision)
	}
	if release.Last(nil) != nil || release.LastDeployed(history[:2]) != nil {
		t.Error("something was found in nothing")
	}
}

func TestLastGood(t *testing.T) {
	hookFailed := rev(4, release.Superseded, "Upgrade complete")
	hookFailed.Hooks = []*release.Hook{{Kind: "Job", Name: "migrate", Events: []release.Event{release.PostUpgrade}, LastRun: release.Execution{Phase: release.PhaseFailed}}}
	testFailed := rev(4, release.Superseded, "Upgrade complete")
	testFailed.Hooks = []*release.Hook{{Kind: "Pod", Name: "t", Events: []release.Event{release.Test}, LastRun: release.Execution{Phase: release.PhaseFailed}}}

	for name, tc := range map[string]struct {
		history []*release.Release
		before  int
		want    int
		why     string
	}{
		"the previous one": {
			[]*release.Release{rev(1, release.Superseded, "Install complete"), rev(2, release.Superseded, "Upgrade complete"), rev(3, release.Deployed, "Upgrade complete")},
			3, 2, "revision 2 is the last good one before 3",
		},
		"not a failed one": {
			[]*release.Release{rev(1, release.Superseded, "Install complete"), rev(2, release.Failed, `Upgrade "shop" failed: x`), rev(3, release.Deployed, "Upgrade complete")},
			3, 1, "revision 1 is the last good one before 3; revision 2 is failed",
		},
		"not one that Helm relabelled": {
			[]*release.Release{rev(2, release.Superseded, `Upgrade "shop" failed: x`), rev(1, release.Superseded, "Rollback to 1"), rev(3, release.Deployed, "Upgrade complete")},
			3, 1, "revision 1 is the last good one before 3; revision 2 had failed before it was superseded",
		},
		"the serving one below a failed one": {
			[]*release.Release{rev(1, release.Superseded, ""), rev(2, release.Deployed, "Upgrade complete"), rev(3, release.Failed, "")},
			3, 2, "revision 2 is the last good one before 3",
		},
		"a description of the user's own": {
			[]*release.Release{rev(1, release.Superseded, "fixes the failed login"), rev(2, release.Deployed, "")},
			2, 1, "revision 1 is the last good one before 2",
		},
		"a hook failed": {
			[]*release.Release{rev(3, release.Superseded, ""), hookFailed, rev(5, release.Deployed, "")},
			5, 3, "revision 3 is the last good one before 5; revision 4 had a failed hook, Job/migrate",
		},
		"only a test failed": {
			[]*release.Release{rev(3, release.Superseded, ""), testFailed, rev(5, release.Deployed, "")},
			5, 4, "revision 4 is the last good one before 5",
		},
		"never completed": {
			[]*release.Release{rev(1, release.Superseded, "Initial install underway"), rev(2, release.Deployed, "")},
			2, 0, "there is no good revision before 2; revision 1 was never completed",
		},
		"nothing there": {nil, 1, 0, "there is no good revision before 1"},
	} {
		got, why := release.LastGood(tc.history, tc.before)
		revision := 0
		if got != nil {
			revision = got.Revision
		}
		if revision != tc.want || why != tc.why {
			t.Errorf("%s: got %d, %q; want %d, %q", name, revision, why, tc.want, tc.why)
		}
	}
}

func TestLastGoodAsksTheLedger(t *testing.T) {
	history := []*release.Release{rev(1, release.Superseded, ""), rev(2, release.Superseded, ""), rev(3, release.Deployed, "")}
	doubt := func(r *release.Release) string {
		if r.Revision == 2 {
			return "failed its tests"
		}
		return ""
	}
	got, why := release.LastGood(history, 3, doubt)
	if got == nil || got.Revision != 1 || !strings.HasSuffix(why, "; revision 2 failed its tests") {
		t.Errorf("got %v, %q", got, why)
	}
}

func TestFailedDescriptions(t *testing.T) {
	for description, failed := range map[string]bool{
		`Release "shop" failed: context deadline exceeded`: true,
		`Upgrade "shop" failed: x`:                         true,
		`Rollback "shop" failed: x`:                        true,
		`Upgrade failed: hook migrate`:                     true,
		`failed`:                                           true,
		`Failed: killed`:                                   true,
		`Upgrade complete`:                                 false,
		`Upgrade after the failed one`:                     false,
		`failedover to b`:                                  false,
	} {
		got, _ := release.LastGood([]*release.Release{rev(1, release.Superseded, description)}, 2)
		if (got == nil) != failed {
			t.Errorf("%q counts as failed: %v", description, got == nil)
		}
	}
}

func TestCanBecome(t *testing.T) {
	all := []release.Status{
		release.Deployed, release.Uninstalled, release.Superseded, release.Failed, release.Uninstalling,
		release.PendingInstall, release.PendingUpgrade, release.PendingRollback,
	}
	legal := map[release.Status]string{
		"":                      "pending-install pending-upgrade pending-rollback",
		release.PendingInstall:  "deployed failed uninstalling",
		release.PendingUpgrade:  "deployed failed uninstalling",
		release.PendingRollback: "deployed failed uninstalling",
		release.Deployed:        "superseded uninstalling",
		release.Failed:          "uninstalling",
		release.Superseded:      "uninstalling",
		release.Uninstalling:    "uninstalled deployed failed superseded",
		release.Uninstalled:     "superseded",
	}
	for from, to := range legal {
		allowed := map[release.Status]bool{from: true}
		for _, s := range strings.Fields(to) {
			allowed[release.Status(s)] = true
		}
		for _, next := range all {
			if got := from.CanBecome(next); got != allowed[next] {
				t.Errorf("%q may become %q: %v", from, next, got)
			}
		}
	}
	if !release.Unknown.CanBecome(release.Failed) || !release.Status("odd").CanBecome(release.Deployed) {
		t.Error("a status that is not known is a dead end")
	}
	if release.Deployed.CanBecome("") || release.Deployed.CanBecome("odd") {
		t.Error("a status that Helm does not know may be written")
	}
}

func TestValidateName(t *testing.T) {
	for name, says := range map[string]string{
		"shop": "", "a": "", "shop-2.eu": "", strings.Repeat("a", 53): "",
		"": "no name", strings.Repeat("a", 54): "54 characters", "Shop": "not allowed", "-a": "not allowed",
		"a-": "not allowed", "a..b": "not allowed", "a_b": "not allowed", "a b": "not allowed", "ä": "not allowed", "a\n": "not allowed",
	} {
		err := release.ValidateName(name)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: got %v, want %q", name, err, says)
		}
	}
}
