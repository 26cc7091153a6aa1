package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// test runs the tests of documents; all are hooks.
func (s *stage) test(t *testing.T, docs string, opts plan.TestOptions, interrupt <-chan struct{}) *engine.Result {
	t.Helper()
	in := plan.Inputs{Next: s.next, Options: plan.Options{Tests: opts}}
	for _, p := range parse(t, docs) {
		h, problems := release.ParseHook(p.Document, p.Object)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		s.next.Hooks = append(s.next.Hooks, h)
		in.Hooks = append(in.Hooks, plan.Hook{Hook: h, Object: p.Object, Steering: h.Options()})
	}
	s.next.Info.Status = release.Deployed
	return s.engine.Run(t.Context(), plan.BuildTest(in), interrupt)
}

func phases(result *engine.Result) []string {
	var out []string
	for _, r := range result.Runs {
		out = append(out, r.Hook+" "+string(r.Phase))
	}
	return out
}

func TestFailFastStartsNoOther(t *testing.T) {
	docs := job("a", "test", "") + job("b", "test", "") + job("c", "test", "") + job("d", "test", `, helm.sh/hook-weight: "1"`)
	for name, tt := range map[string]struct {
		opts plan.TestOptions
		want []string
	}{
		"one by one":   {plan.TestOptions{FailFast: true}, []string{"a Failed"}},
		"side by side": {plan.TestOptions{FailFast: true, Parallel: 2}, []string{"a Failed", "b Succeeded"}},
		"all at once":  {plan.TestOptions{FailFast: true, Parallel: 9}, []string{"a Failed", "b Succeeded", "c Succeeded"}},
		"not asked":    {plan.TestOptions{Parallel: 2}, []string{"a Failed", "b Succeeded", "c Succeeded", "d Succeeded"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage()
				s.Runs("Job/a", kubefake.Run{ExitCode: 1})
				s.Runs("Job/b", kubefake.Run{Lasts: 10 * time.Second})
				s.Runs("Job/c", kubefake.Run{Lasts: 20 * time.Second})
				result := s.test(t, docs, tt.opts, nil)
				if diff := cmp.Diff(tt.want, phases(result)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestParallelTestsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		docs := ""
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			docs += job(name, "test", "")
			s.Runs("Job/"+name, kubefake.Run{Lasts: 10 * time.Second})
		}
		result := s.test(t, docs, plan.TestOptions{Parallel: 3}, nil)
		if took := time.Since(s.start); !result.OK() || took < 20*time.Second || took > 30*time.Second {
			t.Errorf("six tests of 10 seconds, three at a time, took %s: %v", took, result.Failures)
		}
	})
}

func TestInterruptedTestsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/b", kubefake.Run{Hangs: true})
		stop := make(chan struct{})
		time.AfterFunc(5*time.Second, func() { close(stop) })
		result := s.test(t, job("a", "test", "")+job("b", "test", "")+job("c", "test", ""), plan.TestOptions{}, stop)
		if !result.Interrupted {
			t.Error("the result does not tell of the interruption")
		}
		if diff := cmp.Diff([]string{"a Succeeded", "b Failed"}, phases(result)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		stored := s.engine.Written(s.next.Revision)
		if stored == nil || stored.Info.Status != release.Deployed {
			t.Fatalf("what was stored is %+v", stored)
		}
		for i, want := range []release.Phase{release.PhaseSucceeded, release.PhaseFailed, ""} {
			if got := stored.Hooks[i].LastRun.Phase; got != want {
				t.Errorf("the record says of test %d that it is %q, not %q", i, got, want)
			}
		}
	})
}
