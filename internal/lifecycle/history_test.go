package lifecycle_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// readRecords notes which revisions are read, and refuses to give one of them.
type readRecords struct {
	lifecycle.Records
	refuse int

	mu   sync.Mutex
	read []int
}

func (r *readRecords) Get(ctx context.Context, name string, revision int) (*release.Release, error) {
	r.mu.Lock()
	r.read = append(r.read, revision)
	r.mu.Unlock()
	if revision == r.refuse {
		return nil, errors.New("the record is broken")
	}
	return r.Records.Get(ctx, name, revision)
}

// A rollback reads no more of the past than it takes to find a good revision.
func TestRollbackReadsWhatItNeeds(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "{{ .Release.Revision }}")})
	for name, tt := range map[string]struct {
		failed []int
		read   []int
		back   int
	}{
		"the one before is good":    {read: []int{4, 5}, back: 4},
		"the one before has failed": {failed: []int{4}, read: []int{3, 4, 5}, back: 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.installed(t, dir)
				for range 4 {
					if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
						t.Fatal(err)
					}
				}
				for _, n := range tt.failed {
					r, err := w.records.Get(t.Context(), "web", n)
					if err != nil {
						t.Fatal(err)
					}
					r.SetStatus(release.Superseded, `Upgrade "web" failed: it was worse`) // as Helm leaves it
					if err := w.records.Update(t.Context(), r); err != nil {
						t.Fatal(err)
					}
				}
				records := &readRecords{Records: w.service.Records}
				w.service.Records = records
				out, err := w.service.Rollback(t.Context(), lifecycle.RollbackOptions{Name: "web", Namespace: "shop"})
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(records.read)
				if diff := cmp.Diff(tt.read, records.read); diff != "" || out.Release.Info.RollbackRevision != tt.back {
					t.Errorf("back to %d; read (-want +got):\n%s", out.Release.Info.RollbackRevision, diff)
				}
			})
		})
	}
}

// All revisions are read ahead, several at once; one that cannot be read keeps nobody from uninstalling.
func TestUninstallReadsRevisionsOnce(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "{{ .Release.Revision }}")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.installed(t, dir)
		for range 2 {
			if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
				t.Fatal(err)
			}
		}
		records := &readRecords{Records: w.service.Records, refuse: 1}
		w.service.Records = records
		if _, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(records.read)
		if diff := cmp.Diff([]int{1, 1, 2, 3}, records.read); diff != "" || len(w.history(t)) > 0 || w.live("a") != nil {
			t.Errorf("left are %v; read (-want +got):\n%s", w.history(t), diff)
		}
	})
}
