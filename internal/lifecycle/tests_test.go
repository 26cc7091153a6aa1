package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// testPod is a test hook that is a Pod; more are further annotations.
func testPod(name, more string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", annotations: {helm.sh/hook: test" + more + "}}\nspec: {restartPolicy: Never, containers: [{name: main, image: x}]}\n"
}

func (w *world) test(t *testing.T, change func(*lifecycle.TestOptions)) (*lifecycle.Outcome, error) {
	t.Helper()
	opts := lifecycle.TestOptions{Name: "web", Namespace: "shop", Plan: plan.Options{Timeout: 5 * time.Minute}}
	if change != nil {
		change(&opts)
	}
	return w.service.Test(t.Context(), opts)
}

func named(name string) func(plan.Hook) bool {
	return func(h plan.Hook) bool { return h.Name == name }
}

func TestReleasesWithoutTests(t *testing.T) {
	none := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	some := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "t.yaml": testPod("auth", "")})
	tests := map[string]struct {
		chart  string
		change func(*plan.TestOptions)
		says   string
	}{
		"none":                    {none, func(*plan.TestOptions) {}, ""},
		"none, required":          {none, func(o *plan.TestOptions) { o.Require = true }, "has no tests"},
		"none, required, of some": {some, func(o *plan.TestOptions) { o.Require = true }, ""},
		"filtered away":           {some, func(o *plan.TestOptions) { o.Select = named("data") }, "no test matches the filters"},
		"chosen":                  {some, func(o *plan.TestOptions) { o.Select = named("auth") }, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gated := newWorld()
				_, err := gated.deploy(t, plan.Install, tt.chart, func(o *lifecycle.DeployOptions) {
					o.Plan.Tests.Run = true
					tt.change(&o.Plan.Tests)
				})
				expectRefusal(t, err, tt.says)
				if tt.says != "" && len(gated.Changes()) > 0 {
					t.Errorf("the install touched %v", gated.Changes())
				}
				w := newWorld()
				if _, err := w.deploy(t, plan.Install, tt.chart, nil); err != nil {
					t.Fatal(err)
				}
				_, err = w.test(t, func(o *lifecycle.TestOptions) { tt.change(&o.Plan.Tests) })
				expectRefusal(t, err, tt.says)
			})
		})
	}
}

// expectRefusal checks for a refusal with that text, or, for "", for no error.
func expectRefusal(t *testing.T, err error, says string) {
	t.Helper()
	var refused *lifecycle.Refused
	switch {
	case says == "" && err != nil:
		t.Errorf("the error is %v", err)
	case says != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), says) || diag.Problems(err) == nil):
		t.Errorf("the error is %v, want a refusal that says %q", err, says)
	}
}

func TestPlannedTestsRunNothing(t *testing.T) {
	dir := writeChart(t, map[string]string{"t.yaml": testPod("auth", "")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		before := len(w.Changes())
		out, err := w.test(t, func(o *lifecycle.TestOptions) { o.DryRun = lifecycle.DryRunServer })
		if err != nil || out.DryRun == nil || len(out.DryRun.Plan.Steps) == 0 {
			t.Fatalf("out %+v, error %v", out, err)
		}
		if after := w.Changes(); len(after) != before {
			t.Errorf("touched: %v", after[before:])
		}
	})
}

func TestDeadlineStopsTheTests(t *testing.T) {
	dir := writeChart(t, map[string]string{"t.yaml": testPod("auth", ""), "u.yaml": testPod("data", ""), "v.yaml": testPod("last", "")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Pod/data", kubefake.Run{Hangs: true})
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		out, err := w.test(t, func(o *lifecycle.TestOptions) { o.Deadline = 30 * time.Second })
		var failed *lifecycle.Failed
		if !errors.As(err, &failed) || failed.Deadline != 30*time.Second || failed.Interrupted {
			t.Fatalf("the error is %v", err)
		}
		if took := time.Since(begin); took > 80*time.Second {
			t.Errorf("it took %s", took)
		}
		if runs := out.Result.Runs; len(runs) != 2 || runs[0].Phase != release.PhaseSucceeded || runs[1].Phase != release.PhaseFailed {
			t.Errorf("the runs are %+v", runs)
		}
	})
}

// What comes before the plan is in the limit too: here a chart that nobody sends.
func TestDeadlineStopsBeforeAnythingIsTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		begin := time.Now()
		_, err := w.deploy(t, plan.Install, "shop/web", func(o *lifecycle.DeployOptions) {
			o.Deadline = 30 * time.Second
			o.Open.Find = func(ctx context.Context, _ string) (string, error) {
				<-ctx.Done()
				return "", context.Cause(ctx)
			}
		})
		var late *lifecycle.LateError
		if !errors.As(err, &late) || late.Release != "web" || late.Operation != plan.Install || time.Since(begin) != 30*time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if errors.Is(err, engine.ErrInterrupted) || len(w.Changes()) > 0 {
			t.Errorf("%v; touched: %v", err, w.Changes())
		}
	})
}

func TestDeletedTestFailsAtOnce(t *testing.T) {
	dir := writeChart(t, map[string]string{"t.yaml": testPod("auth", "")})
	pod := object.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "auth"}
	for name, remove := range map[string]func(*world){
		"gone at once": func(w *world) { w.Remove(pod) },
		"with a long grace": func(w *world) {
			w.Update(pod, func(o *unstructured.Unstructured) {
				o.SetDeletionTimestamp(&metav1.Time{Time: time.Now().Add(time.Hour)})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.Runs("Pod/auth", kubefake.Run{Hangs: true})
				if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				time.AfterFunc(2*time.Second, func() { remove(w) })
				_, err := w.test(t, nil)
				var hook *engine.HookError
				if !errors.As(err, &hook) || hook.Run.Reason != "Deleted" || time.Since(begin) > 10*time.Second {
					t.Fatalf("after %s the error is %v", time.Since(begin), err)
				}
			})
		})
	}
}

func TestDeadlineStopsAnUninstall(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": strings.Replace(failing, "pre-upgrade", "pre-delete", 1)})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Job/migrate", kubefake.Run{Hangs: true})
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		_, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop", Deadline: 20 * time.Second})
		var failed *lifecycle.Failed
		if !errors.As(err, &failed) || failed.Deadline != 20*time.Second || time.Since(begin) > 70*time.Second {
			t.Fatalf("after %s the error is %v", time.Since(begin), err)
		}
		if got := w.history(t); len(got) != 1 || !strings.HasPrefix(got[0], "1 deployed: ") || w.live("a") == nil {
			t.Errorf("history %q, a %v", got, w.live("a"))
		}
	})
}

func TestFailedTestsAreAllNamed(t *testing.T) {
	dir := writeChart(t, map[string]string{"t.yaml": testPod("auth", "") + "---\n" + testPod("data", "") + "---\n" + testPod("dns", "")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Pod/auth", kubefake.Run{ExitCode: 1})
		w.Runs("Pod/dns", kubefake.Run{ExitCode: 2})
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		_, err := w.test(t, nil)
		var failed *lifecycle.Failed
		if !errors.As(err, &failed) || len(failed.Further) != 1 || !strings.Contains(failed.Cause.Error(), "auth") || !strings.Contains(failed.Further[0].Error(), "dns") {
			t.Fatalf("the error is %+v", err)
		}
	})
}

func TestAfterTestsWaitsForThem(t *testing.T) {
	traffic := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: traffic, annotations: {pintle.dev/after-tests: \"true\"}}\ndata: {k: %q}\n"
	chart := func(value string) string {
		return writeChart(t, map[string]string{"a.yaml": configMap("a", value), "t.yaml": testPod("auth", ""), "traffic.yaml": fmt.Sprintf(traffic, value)})
	}
	one, two := chart("1"), chart("2")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Pod/auth", kubefake.Run{}, kubefake.Run{ExitCode: 1})
		gate := func(o *lifecycle.DeployOptions) { o.Plan.Tests.Run, o.RollbackOnFailure = true, true }
		if _, err := w.deploy(t, plan.Install, one, gate); err != nil || w.live("traffic")["k"] != "1" {
			t.Fatalf("traffic is %v, error %v", w.live("traffic"), err)
		}
		var moved atomic.Bool
		w.service.Sink = func(event.Event) {
			if w.live("traffic")["k"] == "2" {
				moved.Store(true)
			}
		}
		_, err := w.deploy(t, plan.Upgrade, two, gate)
		var failed *lifecycle.Failed
		if !errors.As(err, &failed) || failed.Rollback != lifecycle.RolledBack || w.live("a")["k"] != "1" || w.live("traffic")["k"] != "1" || moved.Load() {
			t.Fatalf("error %v, a is %v, traffic is %v, moved meanwhile: %v", err, w.live("a"), w.live("traffic"), moved.Load())
		}
	})
}
