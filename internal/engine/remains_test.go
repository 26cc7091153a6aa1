package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	deadPod = `
---
apiVersion: v1
kind: Pod
metadata: {name: seed, namespace: shop, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "3", pintle.dev/suite: s}}
spec: {containers: [{name: main, image: x, env: [{name: P, valueFrom: {secretKeyRef: {name: password, key: p}}}]}]}
`
	password = `
---
apiVersion: v1
kind: Secret
metadata: {name: password, namespace: shop}
stringData: {p: hunter22}
`
)

// dead creates a hook's object as a run that is gone did, of revision 4.
func (s *stage) dead(t *testing.T, text string) plan.Remains {
	t.Helper()
	p := parse(t, text)[0]
	h, problems := release.ParseHook(p.Document, p.Object)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	mark := ledger.Mark{Operation: ledger.Operation{ID: "dead", Name: "upgrade"}, Release: "web", Revision: 4, Event: release.PreUpgrade, Attempt: 1}
	obj, err := s.Create(t.Context(), object.WithRunMark(p.Object, mark.String()), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Remains{Revision: 4, Hook: h, Object: obj}
}

// bury runs a plan that does nothing but see the remains to their end.
func (s *stage) bury(t *testing.T, a plan.Await) *engine.Result {
	t.Helper()
	a.Goal = plan.UntilEnded
	steps := []plan.Step{{ID: "orphans", Block: plan.BlockPrepare, Action: a}}
	return s.engine.Run(t.Context(), &plan.Plan{Operation: plan.Upgrade, Release: "web", Namespace: "shop", Revision: 5, Steps: steps}, nil)
}

// TestWhatAPodSaidIsReadBeforeItIsStopped since a Pod that is deleted takes its log along.
func TestWhatAPodSaidIsReadBeforeItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, told := withBook(b, engine.DefaultOptions())
		s.Seed(parse(t, password)[0].Object)
		s.Runs("Pod/seed", kubefake.Run{Lasts: time.Minute, Lines: []string{"with hunter22", "never said"}})
		r := s.dead(t, deadPod)
		time.Sleep(30 * time.Second)
		if result := s.bury(t, plan.Await{Objects: []object.Ref{object.RefOf(r.Object)}, Stop: true, Timeout: time.Minute, Remains: []plan.Remains{r}}); !result.OK() {
			t.Fatal(result.Failures[0])
		}
		if len(b.runs) != 1 {
			t.Fatalf("the ledger holds %d runs", len(b.runs))
		}
		run := b.runs[0]
		if run.Revision != 4 || run.Operation.ID != "dead" || run.Event != release.PreUpgrade || run.Weight != 3 || run.Suite != "s" || run.UID != string(r.Object.GetUID()) {
			t.Errorf("the run is %+v", run)
		}
		if run.Phase != release.PhaseFailed || run.Reason != "Interrupted" || !strings.Contains(run.Message, "a later one stopped it") || run.Duration() < 30*time.Second {
			t.Errorf("it ended %s %s: %s, after %s", run.Phase, run.Reason, run.Message, run.Duration())
		}
		if lines := run.Pods[0].Containers[0].Log.Last(9); len(lines) != 1 || lines[0].Text != "with ***" {
			t.Errorf("the log is %+v", lines)
		}
		if strings.Contains(told.String(), "run:") || strings.Contains(told.String(), "log:") {
			t.Errorf("it passes for a hook of this operation:\n%s", told)
		}
	})
}

func TestTroubleOfADeadRevisionsLedgerHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{fail: &ledger.WriteError{Release: "web", Lasting: true, Err: errors.New("too large")}}
		s, told := withBook(b, engine.DefaultOptions())
		first, second := s.dead(t, deadPod), s.dead(t, strings.Replace(deadPod, "seed", "sow", 1))
		second.Revision = 3
		time.Sleep(time.Minute)
		s.bury(t, plan.Await{Remains: []plan.Remains{first, second}})
		if len(b.story) != 2 || strings.Count(told.String(), "what hooks of an earlier run did is not kept") != 1 {
			t.Errorf("written %q, told:\n%s", b.story, told)
		}
		told.Reset()
		s.install(t, job("a", "pre-install", "")+web, plan.Options{Wait: true, Timeout: time.Minute}, nil)
		if !strings.Contains(told.String(), "the logs of its hooks and tests are not kept") {
			t.Errorf("told:\n%s", told)
		}
	})
}

func TestStopThatFailedIsNoStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, _ := withBook(b, engine.DefaultOptions())
		s.Runs("Pod/seed", kubefake.Run{Lasts: time.Hour})
		r := s.dead(t, deadPod)
		s.Refuse("delete", "Pod/*", errors.New("no rights"), 0)
		result := s.bury(t, plan.Await{Objects: []object.Ref{object.RefOf(r.Object)}, Stop: true, Timeout: time.Minute, Remains: []plan.Remains{r}})
		if result.OK() || result.Gathered {
			t.Errorf("it passes for gathered: %+v", result)
		}
		if len(b.runs) != 1 || b.runs[0].Phase != release.PhaseRunning || !strings.Contains(b.runs[0].Message, "it was left running") {
			t.Errorf("the ledger holds %+v", b.runs)
		}
	})
}

func TestRemainsOfAnotherObjectOfTheNameDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, _ := withBook(b, engine.DefaultOptions())
		s.Runs("Pod/seed", kubefake.Run{Lines: []string{"said by another"}})
		r := s.dead(t, deadPod)
		time.Sleep(time.Minute)
		r.Object = r.Object.DeepCopy()
		r.Object.SetUID(types.UID("gone"))
		s.bury(t, plan.Await{Remains: []plan.Remains{r}})
		if len(b.runs) != 1 || b.runs[0].Reason != "Interrupted" || len(b.runs[0].Pods) != 0 {
			t.Errorf("the ledger holds %+v", b.runs)
		}
	})
}

func TestRemainsThatCannotBeSeenHoldNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, told := withBook(&book{}, engine.DefaultOptions())
		r := s.dead(t, deadPod)
		s.Refuse("watch", "Pod/*", errors.New("no rights"), 0)
		if result := s.bury(t, plan.Await{Remains: []plan.Remains{r}}); !result.OK() {
			t.Fatal(result.Failures[0])
		}
		if !strings.Contains(told.String(), "notice: what hooks of an earlier run did could not be read: watch Pod/shop/seed: no rights") {
			t.Errorf("told:\n%s", told)
		}
	})
}
