package lifecycle_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
)

// cost is what an operation allocates.
type cost struct{ pieces, bytes uint64 }

func (c cost) less(o cost) cost { return cost{c.pieces - o.pieces, c.bytes - o.bytes} }

func costOf(t *testing.T, do func() error) cost {
	t.Helper()
	// What pools keep is dropped before and kept during the operation, and there
	// is one of each pool, so that each operation makes it anew, once.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := do(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return cost{after.Mallocs, after.TotalAlloc}.less(cost{before.Mallocs, before.TotalAlloc})
}

// lifeOf is what the parts of a release's life cost, with so many objects.
func lifeOf(t *testing.T, objects int) (costs map[string]cost) {
	costs = map[string]cost{}
	dir := writeChart(t, map[string]string{"a.yaml": fmt.Sprintf("{{ range $i := until %d }}\n---\n"+
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm-{{ $i }}}\ndata: {k: \"{{ $i }}\", v: {{ $.Values.v | default \"1\" | quote }}}\n{{ end }}\n", objects)})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		upgrade := func(values ...string) error {
			_, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.Values.Set = values })
			return err
		}
		costs["install"] = costOf(t, func() error { _, err := w.deploy(t, plan.Install, dir, nil); return err })
		costs["upgrade, unchanged"] = costOf(t, func() error { return upgrade() })
		costs["upgrade, changed"] = costOf(t, func() error { return upgrade("v=2") })
		costs["rollback"] = costOf(t, func() error {
			_, err := w.service.Rollback(t.Context(), lifecycle.RollbackOptions{Name: "web", Namespace: "shop", HistoryMax: 10})
			return err
		})
		costs["uninstall"] = costOf(t, func() error {
			_, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"})
			return err
		})
	})
	return costs
}

// An object costs the same in a release of many as in one of few: nothing is
// done for every object of every object, or for all of them at each step. What
// is allocated grows in a line with their number, and so does what is held at a time.
func TestCostOfAnObjectDoesNotDependOnTheirNumber(t *testing.T) {
	const n = 100
	lifeOf(t, n) // what is made once in a process
	small, middle, large := lifeOf(t, n), lifeOf(t, 2*n), lifeOf(t, 4*n)
	for part := range small {
		// Without what an operation costs however few its objects are.
		first, second := middle[part].less(small[part]), large[part].less(middle[part])
		pieces, bytes := float64(second.pieces)/float64(2*first.pieces), float64(second.bytes)/float64(2*first.bytes)
		t.Logf("%s: an object is %d allocations, then %.3f times that, and %.2f times its bytes", part, first.pieces/n, pieces, bytes)
		if pieces > 1.1 || bytes > 1.4 {
			t.Errorf("%s: a further object costs %.2f times the allocations and %.2f times the bytes where they are twice as many", part, pieces, bytes)
		}
	}
}
