package lifecycle_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// From one hook to the next nothing waits for the note that the first one has
// succeeded, since its Job says so. Before the Job is deleted the note must be there.
func TestHookIsDeletedOnlyOnceItsSuccessIsNoted(t *testing.T) {
	const twoHooks = `
apiVersion: batch/v1
kind: Job
metadata: {name: first, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "1", helm.sh/hook-delete-policy: hook-succeeded}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: second, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "2"}}
`
	dir := writeChart(t, map[string]string{"hooks.yaml": twoHooks})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.Runs("Job/*", kubefake.Run{Lasts: 10 * time.Second})
		start := time.Now()
		leases.Fail(func(verb string) error {
			if verb == "update" && time.Since(start) > 15*time.Second {
				return errors.New("etcd has no leader")
			}
			return nil
		})
		if _, err := w.deploy(t, plan.Install, dir, nil); err == nil {
			t.Error("it succeeded although nothing could be noted any more")
		}
		if !slices.Contains(w.Changes(), "create Job/shop/second") {
			t.Error("the second hook was held up by the note about the first")
		}
		if slices.Contains(w.Changes(), "delete Job/shop/first") {
			t.Error("the first hook was deleted before its success was noted")
		}
	})
}

func TestKilledUpgradeIsMarkedFailedAndGoneOnFrom(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "{{ .Release.Revision }}")})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, dir)
		w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		got := w.history(t)
		if len(got) != 3 || got[0] != "1 superseded: Install complete" || got[2] != "3 deployed: Upgrade complete" ||
			!strings.HasPrefix(got[1], `2 failed: Upgrade "web" failed: the run was killed while it was pending-upgrade; anna@ci, process 1`) {
			t.Errorf("history: %q", got)
		}
		if !w.told("revision 2 of web was left as pending-upgrade by a run that is gone") {
			t.Errorf("notices: %q", w.notices)
		}
		if leases.Peek("pintle.web") != nil {
			t.Error("the lock is left behind")
		}
	})
}

func TestEveryOperationGoesOnAfterEveryDeath(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	deaths := map[string]struct {
		revision int
		status   release.Status
	}{
		"upgrade": {3, release.PendingUpgrade}, "rollback": {3, release.PendingRollback},
		"uninstall": {2, release.Uninstalling}, "test": {2, release.Deployed},
	}
	next := map[string]func(*testing.T, *world) error{
		"upgrade": func(t *testing.T, w *world) error { _, err := w.deploy(t, plan.Upgrade, dir, nil); return err },
		"rollback": func(t *testing.T, w *world) error {
			_, err := w.service.Rollback(t.Context(), lifecycle.RollbackOptions{Name: "web", Namespace: "shop"})
			return err
		},
		"uninstall": func(t *testing.T, w *world) error {
			_, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"})
			return err
		},
	}
	for died, death := range deaths {
		for name, run := range next {
			t.Run(name+" after a killed "+died, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, leases := lockedWorld()
					w.installed(t, dir)
					if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
						t.Fatal(err)
					}
					w.dies(t, leases, died, death.revision, death.status)
					if err := run(t, w); err != nil {
						t.Fatal(err)
					}
					got := w.history(t)
					if name == "uninstall" {
						if len(got) != 0 || w.live("a") != nil {
							t.Errorf("left behind: %q, a %v", got, w.live("a"))
						}
					} else if !strings.Contains(got[len(got)-1], " deployed: ") || w.live("a")["k"] != "1" {
						t.Errorf("history %q, a %v", got, w.live("a"))
					}
					if leases.Peek("pintle.web") != nil {
						t.Error("the lock is left behind")
					}
				})
			})
		}
	}
}

func TestKilledInstallCanBeInstalledAgain(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, dir)
		w.dies(t, leases, "install", 1, release.PendingInstall)
		w.installed(t, dir)
		if got := w.history(t); len(got) != 2 || !strings.HasPrefix(got[0], `1 failed: Release "web" failed: the run was killed`) || got[1] != "2 deployed: Install complete" {
			t.Errorf("history: %q", got)
		}
		var refused *lifecycle.Refused
		if _, err := w.deploy(t, plan.Install, dir, nil); !errors.As(err, &refused) {
			t.Errorf("installed over a deployed release: %v", err)
		}
	})
}

func TestUninstallThatDiedAfterItsLastRecordLeavesNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, writeChart(t, map[string]string{"a.yaml": configMap("a", "1")}))
		w.dies(t, leases, "uninstall", 1, release.Uninstalling)
		if err := w.records.Delete(t.Context(), &release.Release{Name: "web", Revision: 1}); err != nil {
			t.Fatal(err)
		}
		var none *lifecycle.NoReleaseError
		if _, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"}); !errors.As(err, &none) {
			t.Errorf("the error is %v", err)
		}
		if leases.Peek("pintle.web") != nil {
			t.Error("the lock is left behind")
		}
	})
}

func TestPendingRecordWithoutALockIsHelmsUntilItIsStale(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, dir)
		w.dies(t, nil, "upgrade", 2, release.PendingUpgrade)
		_, err := w.deploy(t, plan.Upgrade, dir, nil)
		var pending *lifecycle.PendingError
		if !errors.As(err, &pending) || pending.Revision != 2 || pending.StaleAfter != time.Hour {
			t.Fatalf("the error is %v", err)
		}
		if leases.Peek("pintle.web") != nil {
			t.Error("the lock is left behind")
		}
		time.Sleep(61 * time.Minute)
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		if got := w.history(t); !strings.Contains(got[1], "left alone for 1h1m0s") {
			t.Errorf("history: %q", got)
		}
	})
}

func TestPendingRecordWithAHookAtWorkIsNeverTakenOver(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w, _ := lockedWorld()
		w.Runs("Job/migrate", kubefake.Run{Lasts: 3 * time.Hour})
		w.installed(t, dir)
		w.dies(t, nil, "upgrade", 2, release.PendingUpgrade)
		w.startsJob(t, "migrate")
		time.Sleep(2 * time.Hour)
		_, err := w.deploy(t, plan.Upgrade, dir, nil)
		var pending *lifecycle.PendingError
		if !errors.As(err, &pending) || len(pending.Active) != 1 {
			t.Fatalf("the error is %v", err)
		}
	})
}

func TestHooksOfADeadRunAreWaitedFor(t *testing.T) {
	for _, stop := range []bool{false, true} {
		t.Run(map[bool]string{false: "wait", true: "stop"}[stop], func(t *testing.T) {
			dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
			synctest.Test(t, func(t *testing.T) {
				w, leases := lockedWorld()
				w.Runs("Job/migrate", kubefake.Run{Lasts: 90 * time.Second}, kubefake.Run{Lasts: time.Second})
				w.installed(t, dir)
				w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
				w.startsJob(t, "migrate")
				old, start := w.job("migrate").GetUID(), time.Now()
				_, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) {
					o.Plan.Timeout, o.Plan.StopOrphans = 5*time.Minute, stop
				})
				if err != nil {
					t.Fatal(err)
				}
				took := time.Since(start)
				if !stop && took < 90*time.Second || stop && took > time.Minute {
					t.Errorf("it took %s", took)
				}
				if w.job("migrate").GetUID() == old {
					t.Error("the hook did not run again")
				}
			})
		})
	}
}

func TestRunIsRefusedWhileAnotherHoldsTheLock(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.Runs("Job/migrate", kubefake.Run{Lasts: 50 * time.Second})
		w.installed(t, dir)
		done := make(chan error, 1)
		go func() {
			_, err := w.deploy(t, plan.Upgrade, dir, nil)
			done <- err
		}()
		time.Sleep(20 * time.Second)
		other := *w.service
		other.Locks = locker(leases, "carl")
		_, err := other.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"})
		var busy *lock.BusyError
		if !errors.As(err, &busy) || busy.State.Intent != (lock.Intent{Operation: "upgrade", Revision: 2}) {
			t.Errorf("the error is %v", err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestUnlockStopsTheOtherRun(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.Runs("Job/migrate", kubefake.Run{Hangs: true})
		w.installed(t, dir)
		done := make(chan error, 1)
		go func() {
			_, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.Plan.Timeout = time.Hour; o.RollbackOnFailure = true })
			done <- err
		}()
		time.Sleep(20 * time.Second)
		changes := len(w.Changes())
		other := *w.service
		other.Locks = locker(leases, "carl")
		seen, err := other.Locked(t.Context(), "web")
		if err != nil || !seen.Any() || seen.Lock.Holder.User != "ben" || seen.Pending == nil {
			t.Fatalf("seen %+v, %v", seen, err)
		}
		if err := other.Unlock(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		var lost *lock.LostError
		if err := <-done; !errors.As(err, &lost) {
			t.Errorf("the other run ended with %v", err)
		}
		if now := w.Changes(); len(now) != changes {
			t.Errorf("the other run went on: %v", now[changes:])
		}
		if got := w.history(t); len(got) != 2 || !strings.Contains(got[1], "ben@ci, process 1 was overruled by hand") {
			t.Errorf("history: %q", got)
		}
	})
}

func TestTestsStopWhenTheLockIsLost(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "t.yaml": strings.Replace(failing, "pre-upgrade", "test", 1)})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.Runs("Job/migrate", kubefake.Run{Hangs: true})
		w.installed(t, dir)
		time.AfterFunc(10*time.Second, func() { leases.Remove("pintle.web") })
		start := time.Now()
		_, err := w.service.Test(t.Context(), lifecycle.TestOptions{Name: "web", Namespace: "shop", Plan: plan.Options{Timeout: time.Hour}})
		var lost *lock.LostError
		if !errors.As(err, &lost) || time.Since(start) > 30*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

var leaseResource = schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}

func TestWithoutPermissionForLeasesTheStatusDecides(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		leases.Fail(func(string) error { return apierrors.NewForbidden(leaseResource, "pintle.web", errors.New("no")) })
		w.installed(t, dir)
		if !w.told("no permission to lock the release") {
			t.Errorf("notices: %q", w.notices)
		}
		w.dies(t, nil, "upgrade", 2, release.PendingUpgrade)
		var pending *lifecycle.PendingError
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); !errors.As(err, &pending) {
			t.Errorf("the error is %v", err)
		}
		seen, err := w.service.Locked(t.Context(), "web")
		if err != nil || seen.Pending == nil {
			t.Fatalf("seen %+v, %v", seen, err)
		}
		if err := w.service.Unlock(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Error(err)
		}
	})
}

var errWebhook = errors.New(`admission webhook "quota.example.com" denied the request`)

func TestHookLeftRunningIsWaitedForByTheNext(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w, _ := lockedWorld()
		w.Runs("Job/migrate", kubefake.Run{Lasts: 100 * time.Second}, kubefake.Run{Lasts: time.Second})
		w.installed(t, dir)
		stop := make(chan struct{})
		w.service.Signals.Stop, w.service.Engine.LeaveRunning = stop, true
		time.AfterFunc(10*time.Second, func() { close(stop) })
		start := time.Now()
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err == nil || time.Since(start) > 20*time.Second {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
		if got := w.history(t); !strings.HasPrefix(got[1], "2 failed: ") {
			t.Errorf("history: %q", got)
		}
		w.service.Signals.Stop = nil
		if _, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.Plan.Timeout = 5 * time.Minute }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 100*time.Second {
			t.Errorf("both were done after %s", took)
		}
	})
}

func TestOrphanThatCannotRunIsStopped(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.Runs("Job/migrate", kubefake.Run{Waiting: "ImagePullBackOff"}, kubefake.Run{Lasts: time.Second})
		w.installed(t, dir)
		w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
		w.startsJob(t, "migrate")
		if _, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.Plan.Timeout = time.Hour }); err != nil {
			t.Fatal(err)
		}
	})
}
