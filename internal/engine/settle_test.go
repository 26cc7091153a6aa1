package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/plan"
)

// A container without a readiness probe is not shown as ready before it has run
// for a while, and the workload beside it settles meanwhile, not afterwards.
func TestWhatSettlesIsNotShownAsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Becomes("Deployment/web", kubefake.Rollout{After: time.Second, Pods: &kubefake.Run{Hangs: true}})
		s.Becomes("Deployment/late", kubefake.Rollout{After: 5 * time.Second})
		late := strings.ReplaceAll(web, "name: web", "name: late")
		result := s.install(t, web+late, plan.Options{Wait: true, Timeout: time.Minute}, nil)
		if !result.OK() {
			t.Fatal(result.Failures[0])
		}
		want := []string{
			"0s in progress 0 of 1 replicas updated",
			"0s in progress 0 of 1 replicas updated",
			"1s in progress running; ready after 2s without a restart",
			"3s ready",
			"5s ready",
		}
		if diff := cmp.Diff(want, s.observed); diff != "" {
			t.Error(diff)
		}
	})
}

// When the time is up while a workload settles, the failure names it.
func TestTimeoutWhileSettling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Becomes("Deployment/web", kubefake.Rollout{After: 4 * time.Second, Pods: &kubefake.Run{Hangs: true, Starts: 3 * time.Second}})
		result := s.install(t, web, plan.Options{Wait: true, Timeout: 5 * time.Second}, nil)
		var notReady *engine.NotReadyError
		if len(result.Failures) != 1 || !errors.As(result.Failures[0], &notReady) {
			t.Fatalf("failures: %v", result.Failures)
		}
		if want := "not ready within 5s: Deployment/shop/web: running; ready after 2s without a restart"; notReady.Error() != want {
			t.Errorf("got  %s\nwant %s", notReady, want)
		}
	})
}

// What a Deployment's pods say is not waited for a second time in its status.
func TestReadyPodsMakeADeploymentReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Becomes("Deployment/web", kubefake.Rollout{After: time.Minute, Counted: true, Pods: &kubefake.Run{Hangs: true, Starts: 3 * time.Second}})
		probed := strings.Replace(web, "image: web", "image: web, readinessProbe: {exec: {command: [x]}}", 1)
		if result := s.install(t, probed, plan.Options{Wait: true, Timeout: 2 * time.Minute}, nil); !result.OK() {
			t.Fatal(result.Failures[0])
		}
		want := []string{"0s in progress 0 of 1 replicas ready", "3s ready"}
		if diff := cmp.Diff(want, s.observed); diff != "" {
			t.Error(diff)
		}
	})
}

// A pod that was ready for a moment takes its Deployment's readiness back, although
// the Deployment's status never said either.
func TestReadinessByPodsIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Becomes("Deployment/web", kubefake.Rollout{
			After: time.Hour, Counted: true, Pods: &kubefake.Run{Starts: time.Second, Lasts: 2 * time.Second, ExitCode: 1},
		})
		s.Becomes("Deployment/late", kubefake.Rollout{After: 10 * time.Second})
		probed := strings.Replace(web, "image: web", "image: web, readinessProbe: {exec: {command: [x]}}", 1)
		late := strings.ReplaceAll(web, "name: web", "name: late")
		result := s.install(t, probed+late, plan.Options{Wait: true, Timeout: 20 * time.Second}, nil)
		if result.OK() || !strings.Contains(result.Failures[0].Error(), "Deployment/shop/web") {
			t.Errorf("failures: %v", result.Failures)
		}
		if len(s.observed) < 4 || s.observed[2] != "1s ready" || !strings.HasPrefix(s.observed[3], "3s in progress") {
			t.Errorf("observed: %q", s.observed)
		}
	})
}

// How a settling workload shows follows its containers.
func TestSettlingTellsThatAContainerHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Becomes("Deployment/web", kubefake.Rollout{After: 500 * time.Millisecond, Pods: &kubefake.Run{Lasts: 1500 * time.Millisecond, ExitCode: 1, Lingers: time.Hour}})
		s.install(t, web, plan.Options{Wait: true, Timeout: 10 * time.Second}, nil)
		text := strings.Join(s.observed, "\n")
		if !strings.Contains(text, "in progress running; ready after 2s without a restart") || !strings.Contains(text, "in progress a container has ended; ready after 2s without a restart") {
			t.Errorf("observed:\n%s", text)
		}
	})
}
