package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/plan"
)

// TestWhatEndsAHookBeforeItsTimeout: by the trouble, by --fail-fast and by --fail-after.
func TestWhatEndsAHookBeforeItsTimeout(t *testing.T) {
	tests := []struct {
		name    string
		trouble string
		opts    func(*engine.Options)
		want    time.Duration
	}{
		{"cannot heal", "InvalidImageName", func(*engine.Options) {}, 0},
		{"seldom heals", "ImagePullBackOff", func(*engine.Options) {}, time.Minute},
		{"seldom heals, hurried", "ImagePullBackOff", func(o *engine.Options) { o.Impatience = 10 * time.Second }, 10 * time.Second},
		{"seldom heals, never given up", "ImagePullBackOff", func(o *engine.Options) { o.Impatience = 0 }, 5 * time.Minute},
		{"often heals", "CreateContainerConfigError", func(*engine.Options) {}, 5 * time.Minute},
		{"often heals, all", "CreateContainerConfigError", func(o *engine.Options) { o.FailFast = engine.FailFastAll }, time.Minute},
		{"cannot heal, none", "InvalidImageName", func(o *engine.Options) { o.FailFast = engine.FailFastNone }, 5 * time.Minute},
		{"seldom heals, none", "ImagePullBackOff", func(o *engine.Options) { o.FailFast = engine.FailFastNone }, 5 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := engine.DefaultOptions()
				tt.opts(&opts)
				s := newStage()
				s.engine = engine.New(s.Cluster, s.records, time.Now, s.sink, opts)
				s.Runs("Job/a", kubefake.Run{Waiting: tt.trouble, Lasts: time.Hour})
				result := s.install(t, job("a", "pre-install", ""), plan.Options{Timeout: 5 * time.Minute}, nil)
				if result.OK() {
					t.Fatal("it succeeded")
				}
				if took := s.failure.Took; took < tt.want || took > tt.want+10*time.Second {
					t.Errorf("it took %s, not %s: %v", took, tt.want, result.Failures[0])
				}
				// What was given up must not run later, when nobody reckons with it.
				s.assertStopped(t, "a")
			})
		})
	}
}

// TestAPodThatIsOverIsNotGivenUp: its Job's verdict says more, and comes by itself.
func TestAPodThatIsOverIsNotGivenUp(t *testing.T) {
	for _, mode := range []engine.FailFast{engine.FailFastAuto, engine.FailFastAll} {
		synctest.Test(t, func(t *testing.T) {
			opts := engine.DefaultOptions()
			opts.FailFast, opts.Impatience = mode, 3*time.Second
			s := newStage()
			s.engine = engine.New(s.Cluster, s.records, time.Now, s.sink, opts)
			s.Runs("Job/a", kubefake.Run{ExitCode: 7, Lingers: 20 * time.Second})
			never := strings.Replace(job("a", "pre-install", ""), "{containers:", "{restartPolicy: Never, containers:", 1)
			result := s.install(t, never, plan.Options{Timeout: 5 * time.Minute}, nil)
			if result.OK() || !strings.Contains(result.Failures[0].Error(), "BackoffLimitExceeded") {
				t.Errorf("--fail-fast=%s: not the Job's verdict: %v", mode, result.Failures)
			}
		})
	}
}
