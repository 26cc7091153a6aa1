package lifecycle_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock/locktest"
	"github.com/pintle-dev/pintle/internal/plan"
)

// A new release of the name may begin as soon as the lock is free.
func TestUninstallIsToldBeforeTheLockIsGivenBack(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, dir)
		b := &slowBook{leases: leases}
		w.service.Engine.Ledger = b
		if _, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"the course: done, locked"}, b.writes); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	})
}

// slowBook is a ledger that takes a minute for each write, and notes whether
// the lock was held when a write had ended.
type slowBook struct {
	leases *locktest.Leases

	mu     sync.Mutex
	writes []string
}

func (b *slowBook) write(what string) error {
	time.Sleep(time.Minute)
	if b.leases.Peek("pintle.web") != nil {
		what += ", locked"
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = append(b.writes, what)
	return nil
}

func (b *slowBook) Begin(context.Context, string, int) {}

func (b *slowBook) Append(context.Context, []ledger.Run) error { return b.write("runs") }

func (b *slowBook) Conclude(_ context.Context, c ledger.Course, _ []ledger.Run) error {
	return b.write("the course: " + string(c.Outcome))
}

func (b *slowBook) Detach(context.Context, string, int) error { return nil }

func (b *slowBook) Read(context.Context, ledger.Wanted) ([]ledger.Run, error) { return nil, nil }

func (b *slowBook) Knows(context.Context, string, string) (bool, error) { return false, nil }

// How a plan went that succeeded is no news to the next run, and is written while the lock is
// given back; what hooks did, and how a plan failed, is stored before another run can go on
// from it. Either is stored when the operation has ended.
func TestWhatIsWrittenWhileTheLockIsGivenBack(t *testing.T) {
	const hook = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: post-upgrade}}\nspec: {template: {spec: {containers: [{name: m, image: x}]}}}\n"
	for name, tt := range map[string]struct {
		chart  map[string]string
		exit   int
		writes []string
	}{
		"success":              {chart: map[string]string{"a.yaml": configMap("a", "1")}, writes: []string{"the course: done"}},
		"success, with a hook": {chart: map[string]string{"m.yaml": hook}, writes: []string{"runs, locked", "the course: done"}},
		"failure":              {chart: map[string]string{"m.yaml": hook}, exit: 1, writes: []string{"runs, locked", "the course: failed, locked"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeChart(t, tt.chart)
			synctest.Test(t, func(t *testing.T) {
				w, leases := lockedWorld()
				w.installed(t, dir)
				w.Runs("Job/migrate", kubefake.Run{ExitCode: tt.exit})
				b := &slowBook{leases: leases}
				w.service.Engine.Ledger = b
				if _, err := w.deploy(t, plan.Upgrade, dir, nil); (err != nil) != (tt.exit != 0) {
					t.Fatal(err)
				}
				b.mu.Lock()
				writes := slices.Clone(b.writes)
				b.mu.Unlock()
				if diff := cmp.Diff(tt.writes, writes); diff != "" {
					t.Errorf("written when the operation had ended (-want +got):\n%s", diff)
				}
			})
		})
	}
}
