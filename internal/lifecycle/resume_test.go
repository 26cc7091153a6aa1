package lifecycle_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

func TestResume(t *testing.T) {
	const step = "pre-upgrade/Job/shop/migrate"
	for name, tt := range map[string]struct {
		done bool
		// ended: the hook had succeeded, and nobody noted it.
		ended bool
		// runs is how often the Job was created, a try that met the old one included; took how long the resumption takes at least.
		runs     int
		took     time.Duration
		values   []string
		revision int
	}{
		"a hook that had succeeded is not run again": {done: true, runs: 1, revision: 2},
		"a hook that still runs is joined":           {runs: 1, took: 89 * time.Second, revision: 2},
		"a success that was not noted counts":        {ended: true, runs: 1, revision: 2},
		"with other values a new revision begins":    {done: true, runs: 3, values: []string{"a=1"}, revision: 3},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
			synctest.Test(t, func(t *testing.T) {
				w, leases := lockedWorld()
				w.Runs("Job/migrate", kubefake.Run{Lasts: 90 * time.Second}, kubefake.Run{Lasts: time.Second})
				w.installed(t, dir)
				w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
				w.startsJob(t, "migrate")
				uid := string(w.job("migrate").GetUID())
				if tt.done || tt.ended {
					time.Sleep(2 * time.Minute)
				}
				wroteJournal(leases, fmt.Sprintf(`{"version":1,"revision":2,"step":%q,"hooks":{%q:{"uid":%q,"done":%t}}}`, step, step, uid, tt.done))
				start := time.Now()
				out, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) {
					o.Resume, o.Plan.Timeout, o.Values.Set = true, 5*time.Minute, tt.values
				})
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took-tt.took > 45*time.Second+tt.took || took < tt.took-40*time.Second {
					t.Errorf("it took %s", took)
				}
				created := 0
				for _, c := range w.Changes() {
					if c == "create Job/shop/migrate" {
						created++
					}
				}
				if created != tt.runs || out.Release.Revision != tt.revision {
					t.Errorf("the hook was created %d times, and revision %d is deployed", created, out.Release.Revision)
				}
				if tt.revision == 2 {
					w.expectHistory(t, "1 superseded: Install complete", "2 deployed: Upgrade complete")
				}
				if got := out.Release.Hooks[0].LastRun.Phase; got != release.PhaseSucceeded {
					t.Errorf("the record says %s of the hook", got)
				}
				if leases.Peek("pintle.web") != nil {
					t.Error("the lock is left behind")
				}
			})
		})
	}
}

func TestResumeOfARunThatDiedAfterItsLastRecord(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, dir)
		w.dies(t, leases, "upgrade", 2, release.Deployed)
		wroteJournal(leases, `{"version":1,"revision":2,"step":"record/deployed"}`)
		before := len(w.Changes())
		if _, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.Resume = true }); err != nil {
			t.Fatal(err)
		}
		if now := w.Changes(); len(now) != before {
			t.Errorf("changed again: %v", now[before:])
		}
		w.expectHistory(t, "1 superseded: Install complete", "2 deployed: Upgrade complete")
	})
}

func TestResumeAfterATestThatDied(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, dir)
		w.dies(t, leases, "test", 1, release.Deployed)
		wroteJournal(leases, `{"version":1,"revision":1,"by":"test","step":"test/Pod/shop/check"}`)
		if _, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.Resume = true }); err != nil {
			t.Fatal(err)
		}
		if !w.told("there is nothing to resume") {
			t.Errorf("it does not tell that a new revision begins: %q", w.notices)
		}
		w.expectHistory(t, "1 superseded: Install complete", "2 deployed: Upgrade complete")
	})
}
