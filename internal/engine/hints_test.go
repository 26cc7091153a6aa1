package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// TestWhatOnlyEventsTell: a pod whose volume is missing has nothing in its
// status that says so. It is known while it waits, and ends the wait as other
// troubles of its kind do.
func TestWhatOnlyEventsTell(t *testing.T) {
	for name, c := range map[string]struct {
		failFast engine.FailFast
		want     time.Duration
	}{
		"often heals":      {engine.FailFastAuto, 5 * time.Minute},
		"often heals, all": {engine.FailFastAll, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := engine.DefaultOptions()
				opts.FailFast = c.failFast
				s := newStage()
				s.engine = engine.New(s.Cluster, s.records, time.Now, s.sink, opts)
				s.Runs("Job/a", kubefake.Run{Waiting: "ContainerCreating", Lasts: time.Hour})
				go func() {
					time.Sleep(time.Second)
					s.Note(object.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "a-1"}, "Warning", "FailedMount",
						`MountVolume.SetUp failed for volume "v" : secret "absent" not found`)
				}()
				result := s.install(t, job("a", "pre-install", ""), plan.Options{Timeout: 5 * time.Minute}, nil)
				if result.OK() {
					t.Fatal("it succeeded")
				}
				if text := result.Failures[0].Error(); !strings.Contains(text, `the Secret "absent" does not exist`) {
					t.Errorf("the failure is %q", text)
				}
				if took := s.failure.Took; took < c.want || took > c.want+10*time.Second {
					t.Errorf("it took %s, not %s", took, c.want)
				}
				s.assertStopped(t, "a")
			})
		})
	}
}
