package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// stage is a scripted cluster, a release to install on it, and what was told.
type stage struct {
	*kubefake.Cluster
	records *records
	engine  *engine.Engine
	next    *release.Release
	start   time.Time

	mu    sync.Mutex
	lines []string
	// observed are the states of objects that waits showed, each with its time.
	observed []string
	// failure is the last failed step's event.
	failure event.StepFinished
}

func newStage() *stage {
	s := &stage{Cluster: kubefake.New("shop"), records: &records{}, start: time.Now()}
	opts := engine.DefaultOptions()
	s.next = &release.Release{Name: "web", Namespace: "shop", Revision: 1}
	s.engine = engine.New(s.Cluster, s.records, time.Now, s.sink, opts)
	return s
}

// sink writes the story: a line for the end of each step and for each log line.
func (s *stage) sink(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Since(s.start).Round(100 * time.Millisecond)
	switch e := e.(type) {
	case event.StepFinished:
		line := fmt.Sprintf("%s %s: %s", at, plan.Words(e.Step.Action), e.Outcome)
		if e.Note != "" {
			line += " (" + e.Note + ")"
		}
		s.lines = append(s.lines, line)
		if e.Outcome == event.Failed {
			s.failure = e
		}
	case event.ObjectObserved:
		s.observed = append(s.observed, strings.TrimSpace(fmt.Sprintf("%s %s %s", at, e.Status.State, e.Status.Message)))
	case event.LogLine:
		s.lines = append(s.lines, fmt.Sprintf("%s [%s/%s] %s", at, e.Hook, e.Container, e.Line.Text))
	case event.RunFinished:
		if !e.Final {
			s.lines = append(s.lines, fmt.Sprintf("%s attempt %d of %s: %s", at, e.Run.Attempt, e.Run.Hook, e.Run.Phase))
		}
	}
}

// install plans the documents as an install and runs the plan.
func (s *stage) install(t *testing.T, docs string, opts plan.Options, interrupt <-chan struct{}) *engine.Result {
	t.Helper()
	in := plan.Inputs{Next: s.next, Options: opts}
	for _, p := range parse(t, docs) {
		if !release.IsHook(p.Object) {
			object.Own(p.Object, "web", "shop")
			in.Wanted = append(in.Wanted, p)
			continue
		}
		h, problems := release.ParseHook(p.Document, p.Object)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		s.next.Hooks = append(s.next.Hooks, h)
		in.Hooks = append(in.Hooks, plan.Hook{Hook: h, Object: p.Object, Steering: h.Options()})
	}
	return s.engine.Run(t.Context(), plan.Build(plan.Install, in), interrupt)
}

func parse(t *testing.T, docs string) []object.Parsed {
	t.Helper()
	parsed, err := object.ParseAll(object.SplitFile("web/templates/all.yaml", docs))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func (s *stage) expect(t *testing.T, want string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(lines(want), s.lines); diff != "" {
		t.Errorf("the story differs (-want +got):\n%s", diff)
	}
}

func lines(text string) []string {
	var out []string
	for l := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		out = append(out, strings.TrimSpace(l))
	}
	return out
}

// records keeps what was written, and refuses what it is told to.
type records struct {
	mu     sync.Mutex
	stored []*release.Release
	refuse map[release.Status]error
}

func (r *records) Create(_ context.Context, rec *release.Release) error { return r.put(rec) }
func (r *records) Update(_ context.Context, rec *release.Release) error { return r.put(rec) }
func (r *records) Delete(context.Context, *release.Release) error       { return nil }

func (r *records) put(rec *release.Release) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refuse[rec.Info.Status]; err != nil {
		return err
	}
	r.stored = append(r.stored, rec)
	return nil
}

func job(name, event, more string) string {
	return fmt.Sprintf("---\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: %s\n  namespace: shop\n  annotations: {helm.sh/hook: %s%s}\n"+
		"spec: {template: {spec: {containers: [{name: main, image: busybox}]}}}\n", name, event, more)
}

const web = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 1, template: {spec: {containers: [{name: main, image: web}]}}}\n"

func TestHooksRunOneAfterAnotherAndIntoTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/first", kubefake.Run{Lasts: 2 * time.Second, Lines: []string{"hello"}})
		result := s.install(t, job("second", "pre-install", `, helm.sh/hook-delete-policy: hook-succeeded`)+job("first", "pre-install", `, helm.sh/hook-weight: "-1"`)+web,
			plan.Options{Wait: true, Timeout: time.Minute}, nil)
		if !result.OK() {
			t.Fatal(result.Failures[0])
		}
		s.expect(t, `
			0s record revision 1 as pending-install: done
			1s [first/main] hello
			2s run Job/shop/first, weight -1, replacing what is there: done
			3s run Job/shop/second: done
			3s delete Job/shop/second if it succeeded: done (deleted)
			3s create Deployment/shop/web: done (created)
			4s wait until ready: Deployment/web: done
			4s record revision 1 as deployed: done`)
		last := s.records.stored[len(s.records.stored)-1]
		for _, h := range last.Hooks {
			if h.LastRun.Phase != release.PhaseSucceeded || h.LastRun.CompletedAt.IsZero() {
				t.Errorf("the record says of hook %s: %+v", h.Name, h.LastRun)
			}
		}
		if s.next.Hooks[0].LastRun.Phase != "" {
			t.Error("the plan's own record was changed")
		}
	})
}

func TestFailedHookShowsWhyAndCleansUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/b", kubefake.Run{ExitCode: 3, Lines: []string{"ERROR: no such table"}})
		result := s.install(t, job("a", "pre-install", `, helm.sh/hook-delete-policy: hook-succeeded`)+
			job("b", "pre-install", `, helm.sh/hook-delete-policy: hook-failed`)+
			job("c", "pre-install", "")+
			job("d", "pre-install", `, pintle.dev/always: "true"`)+web, plan.Options{}, nil)
		s.expect(t, `
			0s record revision 1 as pending-install: done
			1s run Job/shop/a: done
			1.5s [b/main] ERROR: no such table
			2s run Job/shop/b: failed
			2s run Job/shop/c, replacing what is there: skipped
			3s run Job/shop/d, replacing what is there: done
			3s delete Job/shop/b if it failed: done (deleted)
			3s delete Job/shop/a if it succeeded: done (deleted)
			3s create Deployment/shop/web: skipped
			3s record revision 1 as deployed: skipped`)
		var hook *engine.HookError
		if len(result.Failures) != 1 || !errors.As(result.Failures[0], &hook) {
			t.Fatalf("failures: %v", result.Failures)
		}
		root := s.failure.Causes[0].Roots()[0]
		if root.ExitCode == nil || *root.ExitCode != 3 || len(root.Lines) == 0 || root.Lines[0] != "ERROR: no such table" {
			t.Errorf("the cause is %+v", root)
		}
		if !strings.HasPrefix(hook.Run.Message, "container main ended with exit code 3") || hook.Run.Reason != "BackoffLimitExceeded" {
			t.Errorf("the run says %s: %s", hook.Run.Reason, hook.Run.Message)
		}
		if len(hook.Run.Pods) != 1 || hook.Run.Pods[0].Containers[0].ExitCode != 3 || hook.Run.Pods[0].Containers[0].Log.Lines != 1 {
			t.Errorf("the evidence is %+v", hook.Run.Pods)
		}
	})
}

func TestGoneAfterSuccessIsSuccessGoneBeforeIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/a", kubefake.Run{Vanishes: true})
		s.Runs("Job/b", kubefake.Run{Lasts: time.Hour})
		go func() {
			time.Sleep(5 * time.Second)
			s.Remove(object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: "shop", Name: "b"})
		}()
		result := s.install(t, job("a", "pre-install", "")+job("b", "pre-install", ""), plan.Options{Timeout: time.Hour}, nil)
		if len(result.Failures) != 1 || !strings.Contains(result.Failures[0].Error(), "deleted before it had finished") {
			t.Fatalf("failures: %v", result.Failures)
		}
		if took := time.Since(s.start); took > 15*time.Second {
			t.Errorf("it took %s to notice", took)
		}
	})
}

func TestTimeoutStopsTheHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/a", kubefake.Run{Hangs: true})
		result := s.install(t, job("a", "pre-install", `, pintle.dev/timeout: 30s`), plan.Options{Timeout: time.Hour}, nil)
		if len(result.Failures) != 1 || !strings.Contains(result.Failures[0].Error(), "did not finish within 30s") {
			t.Fatalf("failures: %v", result.Failures)
		}
		s.assertStopped(t, "a")
		if root := s.failure.Causes[0].Roots()[0]; root.ExitCode != nil {
			t.Errorf("what we stopped ourselves is given as the cause: %+v", root)
		}
	})
}

func TestInterruptStopsTheHookAndStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/a", kubefake.Run{Hangs: true})
		interrupt := make(chan struct{})
		time.AfterFunc(3*time.Second, func() { close(interrupt) })
		result := s.install(t, job("a", "pre-install", `, helm.sh/hook-delete-policy: hook-failed`)+web, plan.Options{}, interrupt)
		if !result.Interrupted || !errors.Is(result.Failures[0], engine.ErrInterrupted) {
			t.Fatalf("interrupted: %v, failures: %v", result.Interrupted, result.Failures)
		}
		s.expect(t, `
			0s record revision 1 as pending-install: done
			3s run Job/shop/a: failed
			3s delete Job/shop/a if it failed: done (deleted)
			3s create Deployment/shop/web: skipped
			3s record revision 1 as deployed: skipped`)
	})
}

func (s *stage) assertStopped(t *testing.T, name string) {
	t.Helper()
	j := s.Peek(object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: "shop", Name: name})
	if j == nil {
		t.Fatalf("Job %s is gone", name)
	}
	if suspended, _, _ := unstructured.NestedBool(j.Object, "spec", "suspend"); !suspended {
		t.Errorf("Job %s was left running", name)
	}
}

func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/a", kubefake.Run{ExitCode: 1}, kubefake.Run{})
		result := s.install(t, job("a", "pre-install", `, pintle.dev/retries: "2"`), plan.Options{}, nil)
		if !result.OK() || len(result.Runs) != 2 {
			t.Fatalf("%d runs, failures %v", len(result.Runs), result.Failures)
		}
		s.expect(t, `
			0s record revision 1 as pending-install: done
			1s attempt 1 of a: Failed
			2s run Job/shop/a, replacing what is there, 2 retries: done
			2s record revision 1 as deployed: done`)
	})
}

func TestLeftovers(t *testing.T) {
	const policy = `, helm.sh/hook-delete-policy: hook-succeeded`
	tests := map[string]struct{ leftover, hook, err string }{
		"of anyone, with before-hook-creation":        {strings.Replace(job("a", "x", ""), "busybox", "other", 1), job("a", "pre-install", ""), ""},
		"of this hook, without":                       {job("a", "pre-install", policy), job("a", "pre-install", policy), ""},
		"of someone else, without":                    {strings.Replace(job("a", "pre-install", policy), "busybox", "other", 1), job("a", "pre-install", policy), "not known to come from this hook"},
		"of someone else, that a policy would delete": {strings.Replace(job("a", "pre-install", ""), "busybox", "other", 1), job("a", "pre-install", `, helm.sh/hook-delete-policy: hook-failed`), "not known to come from this hook"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage()
				leftover := parse(t, tt.leftover)[0].Object
				leftover.SetUID("old")
				_ = unstructured.SetNestedSlice(leftover.Object, []any{map[string]any{"type": "Complete", "status": "True"}}, "status", "conditions")
				s.Seed(leftover)
				result := s.install(t, tt.hook, plan.Options{}, nil)
				switch {
				case tt.err == "" && !result.OK():
					t.Fatal(result.Failures[0])
				case tt.err != "" && (result.OK() || !strings.Contains(result.Failures[0].Error(), tt.err)):
					t.Fatalf("failures: %v", result.Failures)
				case tt.err == "" && (result.Runs[0].UID == "old" || result.Runs[0].UID == ""):
					t.Error("the leftover's result was taken for the run's")
				case tt.err != "" && s.Peek(object.RefOf(leftover)) == nil:
					t.Error("somebody else's object was deleted")
				}
			})
		})
	}
}

func TestWaitEndsAtOnceForWhatCannotHeal(t *testing.T) {
	tests := map[string]struct {
		rollout kubefake.Rollout
		min     time.Duration
		max     time.Duration
		err     string
	}{
		"judged":         {kubefake.Rollout{After: 5 * time.Second, Fails: "ProgressDeadlineExceeded"}, 5 * time.Second, 7 * time.Second, "cannot become ready: Deployment/shop/web"},
		"never":          {kubefake.Rollout{Never: true}, 5 * time.Minute, 6 * time.Minute, "not ready within 5m0s: Deployment/shop/web"},
		"bad image name": {kubefake.Rollout{Never: true, Pods: &kubefake.Run{Waiting: "InvalidImageName"}}, 0, 5 * time.Second, "cannot become ready"},
		"image pull":     {kubefake.Rollout{Never: true, Pods: &kubefake.Run{Waiting: "ImagePullBackOff"}}, time.Minute, 65 * time.Second, "cannot become ready"},
		"missing secret": {kubefake.Rollout{Never: true, Pods: &kubefake.Run{Waiting: "CreateContainerConfigError", Message: `secret "x" not found`}}, 5 * time.Minute, 6 * time.Minute, "not ready within"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage()
				s.Becomes("Deployment/web", tt.rollout)
				result := s.install(t, web, plan.Options{Wait: true, Timeout: 5 * time.Minute}, nil)
				var notReady *engine.NotReadyError
				if len(result.Failures) != 1 || !errors.As(result.Failures[0], &notReady) || !strings.Contains(notReady.Error(), tt.err) {
					t.Fatalf("failures: %v", result.Failures)
				}
				if took := time.Since(s.start); took < tt.min || took > tt.max {
					t.Errorf("the wait took %s", took)
				}
				if len(s.failure.Causes) == 0 {
					t.Error("the failure has no cause")
				}
			})
		})
	}
}

func TestRefusedApplyStopsThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "deployments"}, "web", errors.New("no"))
		s.Refuse("patch", "Deployment/web", forbidden, 1)
		result := s.install(t, web+job("after", "post-install", ""), plan.Options{}, nil)
		if len(result.Failures) != 1 || !apierrors.IsForbidden(result.Failures[0]) {
			t.Fatalf("failures: %v", result.Failures)
		}
		s.expect(t, `
			0s record revision 1 as pending-install: done
			0s create Deployment/shop/web: failed
			0s run Job/shop/after, replacing what is there: skipped
			0s record revision 1 as deployed: skipped`)
	})
}

func TestRecordThatCannotBeWrittenIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.records.refuse = map[release.Status]error{release.PendingInstall: errors.New("quota exceeded")}
		result := s.install(t, web, plan.Options{}, nil)
		if len(result.Failures) != 1 || s.Peek(object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web"}) != nil {
			t.Fatalf("the cluster was touched without a record: %v", result.Failures)
		}
	})
}

func TestEveryFailedTestIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/a", kubefake.Run{ExitCode: 1})
		s.Runs("Job/c", kubefake.Run{ExitCode: 1})
		result := s.install(t, job("a", "test", "")+job("b", "test", "")+job("c", "test", ""), plan.Options{Tests: plan.TestOptions{Run: true}}, nil)
		var phases []string
		for _, r := range result.Runs {
			phases = append(phases, r.Hook+" "+string(r.Phase))
		}
		if diff := cmp.Diff([]string{"a Failed", "b Succeeded", "c Failed"}, phases); diff != "" {
			t.Error(diff)
		}
		if len(result.Failures) != 2 {
			t.Errorf("failures: %v", result.Failures)
		}
	})
}

func TestUnhealthyIsNeverSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Pod/p", kubefake.Run{Lasts: 500 * time.Millisecond, ExitCode: 1})
		result := s.install(t, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec: {restartPolicy: Never, containers: [{name: c}]}\n",
			plan.Options{Wait: true, Timeout: time.Minute}, nil)
		var notReady *engine.NotReadyError
		if len(result.Failures) != 1 || !errors.As(result.Failures[0], &notReady) || notReady.States[0].State != health.Failed {
			t.Fatalf("a Pod that failed passed the wait: %v", result.Failures)
		}
	})
}
