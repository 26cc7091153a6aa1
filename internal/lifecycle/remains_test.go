package lifecycle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestNothingThatADeadRunDidIsLost(t *testing.T) {
	for name, tt := range burials() {
		for _, ended := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", after its end", false: ", while it runs"}[ended], func(t *testing.T) {
				dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
				synctest.Test(t, func(t *testing.T) {
					w, leases := lockedWorld()
					b := w.withLedger()
					w.Runs("Job/migrate", kubefake.Run{}, kubefake.Run{Lasts: 90 * time.Second, Lines: []string{"one", "two", "three"}}, kubefake.Run{})
					w.installed(t, dir)
					w.Remove(migrate)
					w.dies(t, leases, tt.operation, tt.revision, tt.status)
					w.leaves(t, tt.operation, tt.revision, tt.event)
					if ended {
						time.Sleep(2 * time.Minute)
					}
					if err := tt.next(t, w, dir); err != nil {
						t.Fatal(err)
					}
					w.expectTold(t, b, tt.revision, string(tt.event)+" of dead: Succeeded one two three")
				})
			})
		}
	}
}

func TestHowAHookOfADeadRunEnded(t *testing.T) {
	lines := []string{"one", "two", "three"}
	for name, tt := range map[string]struct {
		run  kubefake.Run
		then func(t *testing.T, w *world, b *countedBook, job *unstructured.Unstructured)
		opts func(o *lifecycle.DeployOptions)
		want string
	}{
		"it failed": {run: kubefake.Run{ExitCode: 3, Lines: lines}, want: "Failed BackoffLimitExceeded one two three"},
		"it was stopped": {
			run:  kubefake.Run{Lasts: 100 * time.Second, Lines: lines},
			opts: func(o *lifecycle.DeployOptions) { o.Plan.StopOrphans = true }, want: "Failed Interrupted one",
		},
		"somebody deleted it": {
			run:  kubefake.Run{Lasts: time.Hour},
			then: func(_ *testing.T, w *world, _ *countedBook, _ *unstructured.Unstructured) { w.Remove(migrate) },
			want: "Failed Interrupted",
		},
		"it runs on, since no hook is to run beside it": {
			run:  kubefake.Run{Lasts: 100 * time.Second, Lines: lines},
			opts: func(o *lifecycle.DeployOptions) { o.Plan.NoHooks = true }, want: "Running Interrupted one",
		},
		"the ledger knows it": {
			then: func(t *testing.T, _ *world, b *countedBook, job *unstructured.Unstructured) {
				err := b.Append(t.Context(), []ledger.Run{{
					Release: "web", Namespace: "shop", Revision: 2, Operation: ledger.Operation{ID: "dead", Name: "upgrade"}, Event: release.PreUpgrade,
					Hook: "migrate", Attempt: 1, Object: migrate, UID: string(job.GetUID()), Ended: time.Now(), Phase: release.PhaseSucceeded, Reason: "known",
				}})
				if err != nil {
					t.Error(err)
				}
			},
			want: "Succeeded known",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
			synctest.Test(t, func(t *testing.T) {
				w, b, job := died(t, dir, tt.run)
				time.Sleep(10 * time.Second)
				if tt.then != nil {
					tt.then(t, w, b, job)
				}
				if _, err := w.deploy(t, plan.Upgrade, dir, tt.opts); err != nil {
					t.Fatal(err)
				}
				got := strings.Join(b.told(t, 2), "; ")
				got, _, _ = strings.Cut(got, " from ") // a run that runs on has no end
				if got != "pre-upgrade of dead: "+tt.want {
					t.Errorf("the ledger tells %q\nnotices: %q", got, w.notices)
				}
			})
		})
	}
}

func TestWhatIsOnlyNotedOfAHookIsKept(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		b := w.withLedger()
		w.installed(t, dir)
		w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
		wroteJournal(leases, `{"version":1,"revision":2,"operation":{"id":"dead","name":"upgrade","started":"2000-01-01T00:00:00Z"},`+
			`"hooks":{"pre-upgrade/Job/shop/migrate":{"uid":"long-gone","attempt":2,"done":true,"started":"2000-01-01T00:00:01Z","ended":"2000-01-01T00:00:09Z"}}}`)
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		runs, err := b.Book.Read(t.Context(), ledger.Wanted{Release: "web", Revision: 2})
		if err != nil || len(runs) != 1 {
			t.Fatalf("%d runs, %v; notices: %q", len(runs), err, w.notices)
		}
		r := runs[0]
		if r.Phase != release.PhaseSucceeded || r.UID != "long-gone" || r.Attempt != 2 || r.Duration() != 8*time.Second || !strings.Contains(r.Message, "deleted before it was kept") {
			t.Errorf("the run is %+v", r)
		}
	})
}

func TestHooksThatDoNotRunHaveNothingToTell(t *testing.T) {
	dir := writeChart(t, map[string]string{
		"a.yaml": configMap("a", "1"),
		"h.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, annotations: {helm.sh/hook: pre-upgrade}}\n",
	})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		b := w.withLedger()
		w.installed(t, dir)
		w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
		wroteJournal(leases, `{"version":1,"revision":2,"operation":{"id":"dead","name":"upgrade","started":"2000-01-01T00:00:00Z"},`+
			`"hooks":{"pre-upgrade/ConfigMap/shop/settings":{"uid":"long-gone","done":true,"started":"2000-01-01T00:00:01Z","ended":"2000-01-01T00:00:01Z"}}}`)
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		w.expectTold(t, b, 2)
	})
}

func TestValuesOfListedSecretsAreMaskedInWhatADeadRunSaid(t *testing.T) {
	files := map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always}
	without := writeChart(t, files)
	files["s.yaml"] = listedSecret
	with := writeChart(t, files)
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		b := w.withLedger()
		w.Runs("Job/migrate", kubefake.Run{}, kubefake.Run{}, kubefake.Run{Lines: []string{"with hunter22"}}, kubefake.Run{})
		w.installed(t, without)
		if _, err := w.deploy(t, plan.Upgrade, with, nil); err != nil {
			t.Fatal(err)
		}
		w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
		first, err := w.records.Get(t.Context(), "web", 1)
		if err != nil {
			t.Fatal(err)
		}
		first.SetStatus(release.Deployed, "Install complete")
		if err := w.records.Update(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		w.Remove(migrate)
		w.leaves(t, "upgrade", 2, release.PreUpgrade)
		time.Sleep(time.Minute)
		if _, err := w.service.RunHook(t.Context(), lifecycle.HookOptions{Name: "web", Namespace: "shop", Hook: "migrate"}); err != nil {
			t.Fatal(err)
		}
		w.expectTold(t, b, 2, "pre-upgrade of dead: Succeeded with ***")
	})
}

func TestLedgerOfADeadRevisionThatCannotBeWrittenHoldsNothingUp(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, b, _ := died(t, dir, kubefake.Run{})
		b.refuses = 2
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		if !w.told("the ledger of release web could not be written: a webhook is down") {
			t.Errorf("notices: %q", w.notices)
		}
		if got := b.told(t, 3); len(got) != 1 {
			t.Errorf("the ledger tells of revision 3: %q", got)
		}
	})
}

func TestWhatWasLeftRunningIsToldToItsEndLater(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, b, _ := died(t, dir, kubefake.Run{Lasts: 3 * time.Minute})
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err == nil {
			t.Fatal("it did not wait for the hook")
		}
		if got := b.told(t, 2); len(got) != 1 || !strings.Contains(got[0], "Running Interrupted") {
			t.Errorf("the ledger tells %q", got)
		}
		time.Sleep(5 * time.Minute)
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		w.expectTold(t, b, 2, "pre-upgrade of dead: Succeeded")
	})
}

func TestRefusedRunLeavesTheGatheringToTheNext(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		b := w.withLedger()
		w.installed(t, dir)
		w.Remove(migrate)
		w.dies(t, leases, "test", 1, release.Deployed)
		w.leaves(t, "test", 1, release.Test)
		if _, err := w.deploy(t, plan.Install, dir, nil); err == nil {
			t.Fatal("the name was not taken")
		}
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		w.expectTold(t, b, 1, "test of dead: Succeeded")
		if left := leases.Peek("pintle.web"); left != nil {
			t.Errorf("the lock is left behind: %v", left)
		}
	})
}

const journalOfAHook = `{"version":1,"revision":2,"step":"pre-upgrade/Job/shop/migrate","operation":{"id":"dead","name":"upgrade","started":"2000-01-01T00:00:00Z"},` +
	`"hooks":{"pre-upgrade/Job/shop/migrate":{"uid":"long-gone","done":%t,"started":"2000-01-01T00:00:01Z","ended":"2000-01-01T00:00:09Z"}}}`

// noNewRecords refuses new revisions.
type noNewRecords struct{ lifecycle.Records }

func (noNewRecords) Create(context.Context, *release.Release) error { return release.ErrExists }

func TestWhatOnlyTheJournalTellsOutlivesRunsThatDoNotGatherIt(t *testing.T) {
	for name, run := range map[string]func(t *testing.T, w *world, dir string){
		"a refused upgrade": func(t *testing.T, w *world, _ string) {
			if _, err := w.deploy(t, plan.Upgrade, writeChart(t, map[string]string{"a.yaml": "{{ fail `no` }}"}), nil); err == nil {
				t.Error("it was not refused")
			}
		},
		"an upgrade that cannot be recorded": func(t *testing.T, w *world, dir string) {
			w.service.Records = &failingRecords{w.records, func(release.Status) error { return errWebhook }}
			if _, err := w.deploy(t, plan.Upgrade, dir, nil); err == nil {
				t.Error("it was recorded")
			}
			w.service.Records = w.records
		},
		"an upgrade that cannot begin": func(t *testing.T, w *world, dir string) {
			w.service.Records = &noNewRecords{w.records}
			if _, err := w.deploy(t, plan.Upgrade, dir, nil); err == nil {
				t.Error("it began")
			}
			w.service.Records = w.records
		},
		"an upgrade that is interrupted first": func(t *testing.T, w *world, dir string) {
			stop := make(chan struct{})
			w.service.Records = &failingRecords{w.records, func(release.Status) error { close(stop); return nil }}
			w.service.Signals.Stop = stop
			if _, err := w.deploy(t, plan.Upgrade, dir, nil); err == nil {
				t.Error("it was not interrupted")
			}
			w.service.Signals.Stop, w.service.Records = nil, w.records
		},
		"an unlock": func(t *testing.T, w *world, _ string) {
			seen, err := w.service.Locked(t.Context(), "web")
			if err != nil {
				t.Fatal(err)
			}
			if err := w.service.Unlock(t.Context(), seen); err != nil {
				t.Fatal(err)
			}
			if seen, err = w.service.Locked(t.Context(), "web"); err != nil || seen.Any() {
				t.Errorf("there is something to unlock: %+v, %v", seen, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
			synctest.Test(t, func(t *testing.T) {
				w, leases, b := diedAfterAHook(t, dir)
				run(t, w, dir)
				if leases.Peek("pintle.web") == nil {
					t.Error("the journal is gone")
				}
				if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
					t.Fatal(err)
				}
				w.expectTold(t, b, 2, "pre-upgrade of dead: Succeeded")
				if got := w.history(t)[1]; !strings.Contains(got, "the run was killed") || strings.Contains(got, "ledger") {
					t.Errorf("the record says: %q", got)
				}
				if left := leases.Peek("pintle.web"); left != nil {
					t.Errorf("the lock is left behind: %v", left)
				}
			})
		})
	}
}

func TestTestsOfADeadRunOutliveAnUnlock(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		b := w.withLedger()
		w.installed(t, dir)
		w.Remove(migrate)
		w.dies(t, leases, "test", 1, release.Deployed)
		w.leaves(t, "test", 1, release.Test)
		time.Sleep(time.Minute)
		seen, err := w.service.Locked(t.Context(), "web")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.service.Unlock(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		w.expectTold(t, b, 1, "test of dead: Succeeded")
		if left := leases.Peek("pintle.web"); left != nil {
			t.Errorf("the lock is left behind: %v", left)
		}
	})
}

func TestResumptionGathersWhatItDoesNotRunAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		status release.Status
		done   bool
		want   string
	}{
		"the revision is deployed":        {release.Deployed, true, "pre-upgrade of dead: Succeeded"},
		"the hook has succeeded":          {release.PendingUpgrade, true, "pre-upgrade of dead: Succeeded"},
		"the hook was begun, and is gone": {release.PendingUpgrade, false, "pre-upgrade of dead: Failed Interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
			synctest.Test(t, func(t *testing.T) {
				w, leases := lockedWorld()
				b := w.withLedger()
				w.installed(t, dir)
				w.Remove(migrate)
				w.dies(t, leases, "upgrade", 2, tt.status)
				wroteJournal(leases, fmt.Sprintf(journalOfAHook, tt.done))
				if _, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.Resume = true }); err != nil {
					t.Fatal(err)
				}
				w.expectTold(t, b, 2, tt.want)
				w.expectHistory(t, "1 superseded: Install complete", "2 deployed: Upgrade complete")
				if left := leases.Peek("pintle.web"); left != nil {
					t.Errorf("the lock is left behind: %v", left)
				}
			})
		})
	}
}

func TestRefusedResumptionLeavesTheRevisionToTheNext(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, leases, b := diedAfterAHook(t, dir)
		if err := b.Append(t.Context(), []ledger.Run{{
			Release: "web", Namespace: "shop", Revision: 2, Operation: ledger.Operation{ID: "dead", Name: "upgrade"}, Event: release.PreUpgrade,
			Hook: "migrate", Attempt: 1, Object: migrate, UID: "long-gone", Started: time.Now(), Ended: time.Now(), Phase: release.PhaseSucceeded,
		}}); err != nil {
			t.Fatal(err)
		}
		w.Remove(object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "a"})
		w.Refuse("*", "ConfigMap/a", apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "a", nil), 0)
		if _, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.Resume = true }); err == nil {
			t.Fatal("it was not refused")
		}
		if left := leases.Peek("pintle.web"); left == nil || left.GetAnnotations()["pintle.dev/unrecorded"] != "2" {
			t.Errorf("the lock is %v", left)
		}
	})
}

// unreadableRecords lists revisions, and reads none.
type unreadableRecords struct{ lifecycle.Records }

func (unreadableRecords) Get(context.Context, string, int) (*release.Release, error) {
	return nil, errWebhook
}

func TestRefusedUninstallPassesOnWhoWasKilled(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, dir)
		w.dies(t, leases, "uninstall", 1, release.Uninstalling)
		w.service.Records = &unreadableRecords{w.records}
		if _, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"}); err == nil {
			t.Error("it was not refused")
		}
		if why := leases.Peek("pintle.web").GetAnnotations()["pintle.dev/abandoned"]; !strings.Contains(why, "anna@ci") {
			t.Errorf("the lock says %q", why)
		}
	})
}

func TestRunThatDoesNotComeToMarkingPassesOnWhoWasKilled(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, leases, _ := diedAfterAHook(t, dir)
		w.service.Records = &failingRecords{w.records, func(release.Status) error { return context.Canceled }}
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err == nil {
			t.Error("it was marked")
		}
		if why := leases.Peek("pintle.web").GetAnnotations()["pintle.dev/abandoned"]; strings.Contains(why, "ledger") {
			t.Errorf("the lock says %q", why)
		}
	})
}

func TestNoDeadRunCostsNothing(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": always})
	synctest.Test(t, func(t *testing.T) {
		w, _ := lockedWorld()
		b := w.withLedger()
		w.installed(t, dir)
		w.Runs("Job/migrate", kubefake.Run{ExitCode: 1}, kubefake.Run{})
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err == nil {
			t.Fatal("the hook did not fail")
		}
		out, err := w.deploy(t, plan.Upgrade, dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := b.reads.Load(); n != 0 {
			t.Errorf("the ledger was read %d times", n)
		}
		for _, s := range out.Plan.Steps {
			if s.ID == "orphans" {
				t.Errorf("the plan has a step %q", s.Reason)
			}
		}
	})
}
