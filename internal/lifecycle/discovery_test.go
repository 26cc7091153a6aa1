package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// growing is a cluster that serves one more kind each time it is asked.
type growing struct {
	lifecycle.Cluster
	asked int
}

func (g *growing) Discover(ctx context.Context) (*object.Catalog, *version.Info, error) {
	catalog, info, err := g.Cluster.Discover(ctx)
	if g.asked++; g.asked > 1 {
		monitor := schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "ServiceMonitor"}
		catalog = catalog.With(object.Resource{GVK: monitor, Name: "servicemonitors", Namespaced: true})
	}
	return catalog, info, err
}

// What the cluster serves is read while the lock is being taken. When that has
// taken long, a kind may have come since: its objects must not be left out.
func TestWhatIsServedIsReadAgainAfterAWaitForTheLock(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "b.yaml": `
{{- if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}
` + configMap("monitored", "1") + `{{- end }}`})
	for name, waits := range map[string]bool{"free": false, "held": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, leases := lockedWorld()
				w.installed(t, dir)
				if waits {
					w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
				}
				cluster := &growing{Cluster: w.service.Cluster}
				w.service.Cluster = cluster
				if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
					t.Fatal(err)
				}
				if monitored := w.live("monitored") != nil; monitored != waits {
					t.Errorf("the object for the new kind is there: %t; asked %d times", monitored, cluster.asked)
				}
			})
		})
	}
}

// A rollback that follows a failed upgrade does not go by what was served before
// that: the upgrade may have brought a kind.
func TestRollbackAfterAFailureReadsAgainWhatIsServed(t *testing.T) {
	one := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	two := writeChart(t, map[string]string{"a.yaml": configMap("a", "2"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w, _ := lockedWorld()
		w.installed(t, one)
		w.Runs("Job/migrate", kubefake.Run{ExitCode: 1})
		cluster := &growing{Cluster: w.service.Cluster}
		w.service.Cluster = cluster
		_, err := w.deploy(t, plan.Upgrade, two, func(o *lifecycle.DeployOptions) { o.RollbackOnFailure = true })
		var failed *lifecycle.Failed
		if !errors.As(err, &failed) || failed.Rollback != lifecycle.RolledBack {
			t.Fatal(err)
		}
		if cluster.asked != 2 {
			t.Errorf("asked %d times, for an upgrade and a rollback", cluster.asked)
		}
	})
}
