package ui

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}

var start = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)

// story builds the events of a run step by step, on a clock of its own.
type story struct {
	plan   *plan.Plan
	now    time.Time
	began  time.Time
	events []event.Event
}

func newStory(op plan.Operation, steps ...plan.Step) *story {
	for i := range steps {
		steps[i].Stage = i
		a, apply := steps[i].Action.(plan.Apply)
		if b, before := steps[max(0, i-1)].Action.(plan.Apply); i > 0 && apply && before && a.Object.GetKind() == b.Object.GetKind() {
			steps[i].Stage = steps[i-1].Stage
		}
	}
	s := &story{now: start, plan: &plan.Plan{Operation: op, Release: "storefront", Namespace: "shop", Revision: 1, Steps: steps}}
	s.add(event.PlanStarted{Plan: s.plan, Time: s.now})
	return s
}

func (s *story) add(e event.Event) { s.events = append(s.events, e) }

func (s *story) wait(d time.Duration) { s.now = s.now.Add(d) }

func (s *story) step(id string) plan.Step {
	for _, st := range s.plan.Steps {
		if st.ID == id {
			return st
		}
	}
	panic("no step " + id)
}

func (s *story) start(id string) {
	s.began = s.now
	s.add(event.StepStarted{Step: s.step(id), Time: s.now})
}

func (s *story) finish(id string, outcome event.Outcome, note string) {
	s.add(event.StepFinished{Step: s.step(id), Outcome: outcome, Note: note, Took: s.now.Sub(s.began), Time: s.now})
}

// do is a step that took a moment.
func (s *story) do(id string, took time.Duration, outcome event.Outcome, note string) {
	s.start(id)
	s.wait(took)
	s.finish(id, outcome, note)
}

func (s *story) fail(id string, err error, causes ...health.Cause) {
	s.add(event.StepFinished{Step: s.step(id), Outcome: event.Failed, Err: err, Causes: causes, Took: s.now.Sub(s.began), Time: s.now})
}

func (s *story) skip(ids ...string) {
	for _, id := range ids {
		s.add(event.StepFinished{Step: s.step(id), Outcome: event.Skipped, Time: s.now})
	}
}

func (s *story) observe(id string, ref object.Ref, status health.Status) {
	s.add(event.ObjectObserved{StepID: id, Object: ref, Status: status, Time: s.now})
}

func (s *story) log(id, hook, text string) {
	s.add(event.LogLine{StepID: id, Hook: hook, Container: "main", Line: ledger.Line{Time: s.now, Text: text}})
}

func (s *story) end(failed bool) []event.Event {
	s.add(event.PlanFinished{Plan: s.plan, Failed: failed, Took: s.now.Sub(start), Time: s.now})
	return s.events
}

func ref(kind, name string) object.Ref {
	groups := map[string]string{"Deployment": "apps", "StatefulSet": "apps", "Job": "batch"}
	return object.Ref{Group: groups[kind], Version: "v1", Kind: kind, Namespace: "shop", Name: name}
}

func thing(r object.Ref) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": r.Name, "namespace": r.Namespace}}}
	u.SetGroupVersionKind(r.GVK())
	return u
}

func hookStep(e release.Event, r object.Ref) plan.Step {
	hook := &release.Hook{Name: r.Name, Kind: r.Kind, Events: []release.Event{e}, Weight: -5}
	return plan.Step{ID: string(e) + "/" + r.Short(), Block: string(e), Reason: string(e) + " hook",
		Action: plan.RunHook{Event: e, Hook: hook, Object: thing(r), Replace: true, Timeout: 5 * time.Minute}}
}

func cleanStep(e release.Event, r object.Ref) plan.Step {
	return plan.Step{ID: "clean/" + r.Short(), Block: string(e), Reason: "its delete policy",
		Action: plan.CleanHook{Event: e, Ref: r, Policies: []release.DeletePolicy{release.HookSucceeded}}}
}

func applyStep(r object.Ref) plan.Step {
	return plan.Step{ID: "apply/" + r.Short(), Block: plan.BlockApply, Reason: "in the chart and not in the cluster",
		Action: plan.Apply{Object: thing(r), Change: plan.Create}}
}

func waitStep(refs ...object.Ref) plan.Step {
	return plan.Step{ID: "wait/ready", Block: plan.BlockWait, Reason: "asked for with --wait",
		Action: plan.Await{Goal: plan.UntilReady, Objects: refs, Timeout: 5 * time.Minute}}
}

func recordStep(status release.Status) plan.Step {
	return plan.Step{ID: "record/" + string(status), Block: plan.BlockRecord, Reason: "intent comes before the change",
		Action: plan.WriteRecord{Release: &release.Release{Name: "storefront", Revision: 1}, Status: status, Create: status.Pending()}}
}

var (
	migrate = ref("Job", "storefront-migrate-1")
	web     = ref("Deployment", "storefront-web")
	test    = ref("Pod", "storefront-test")
)

func rolling(text string) health.Status {
	return health.Status{State: health.InProgress, Reason: "RollingOut", Message: text}
}

// installed is a run in which all goes well.
func installed() []event.Event {
	account := ref("ServiceAccount", "storefront-hooks")
	steps := []plan.Step{recordStep(release.PendingInstall), hookStep(release.PreInstall, account), hookStep(release.PreInstall, migrate), cleanStep(release.PreInstall, migrate)}
	var objects []object.Ref
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		objects = append(objects, ref("ConfigMap", "settings-"+name))
	}
	objects = append(objects, ref("Service", "storefront-web"), web)
	for _, r := range objects {
		steps = append(steps, applyStep(r))
	}
	steps = append(steps, waitStep(objects...), hookStep(release.Test, test), recordStep(release.Deployed))
	s := newStory(plan.Install, steps...)
	s.do("record/pending-install", 10*time.Millisecond, event.Done, "")
	s.do("pre-install/ServiceAccount/storefront-hooks", 20*time.Millisecond, event.Done, "")
	s.start("pre-install/Job/storefront-migrate-1")
	s.observe("pre-install/Job/storefront-migrate-1", migrate, health.Status{Reason: "Running", Message: "1 active"})
	s.wait(1200 * time.Millisecond)
	s.log("pre-install/Job/storefront-migrate-1", "storefront-migrate-1", "applying 001_init.sql")
	s.add(event.RunFinished{StepID: "pre-install/Job/storefront-migrate-1", Final: true, Run: ledger.Run{
		Hook: "storefront-migrate-1", Attempt: 1, Object: migrate, Phase: release.PhaseSucceeded}})
	s.finish("pre-install/Job/storefront-migrate-1", event.Done, "")
	s.do("clean/Job/storefront-migrate-1", 30*time.Millisecond, event.Done, "deleted")
	for i, r := range objects {
		outcome, note := event.Done, "created"
		if i == 4 {
			outcome, note = event.Unchanged, ""
		}
		s.do("apply/"+r.Short(), 10*time.Millisecond, outcome, note)
	}
	s.start("wait/ready")
	s.observe("wait/ready", ref("Service", "storefront-web"), health.Status{State: health.Ready})
	s.observe("wait/ready", web, rolling("0 of 2 replicas ready"))
	s.wait(time.Second)
	s.observe("wait/ready", web, health.Status{Reason: "ErrImagePull", Patience: health.Limited, Message: `container web: the image "web:1" cannot be pulled`})
	s.wait(time.Second)
	s.observe("wait/ready", web, rolling("1 of 2 replicas ready"))
	s.wait(time.Second)
	s.observe("wait/ready", web, health.Status{State: health.Ready})
	s.wait(2 * time.Second)
	s.finish("wait/ready", event.Done, "")
	s.start("test/Pod/storefront-test")
	s.wait(65 * time.Second)
	s.log("test/Pod/storefront-test", "storefront-test", "200 \x1b[31mOK\x1b[0m")
	s.finish("test/Pod/storefront-test", event.Done, "")
	s.do("record/deployed", 10*time.Millisecond, event.Done, "")
	return s.end(false)
}

func code(n int) *int { return &n }

// brokenMigration is a run whose pre-upgrade hook fails twice.
func brokenMigration() []event.Event {
	id := "pre-upgrade/Job/storefront-migrate-1"
	hook := hookStep(release.PreUpgrade, migrate)
	s := newStory(plan.Upgrade, hook, cleanStep(release.PreUpgrade, migrate), applyStep(web), applyStep(ref("Service", "web")),
		waitStep(web), hookStep(release.PostUpgrade, ref("Job", "warm")), recordStep(release.Deployed))
	causes := []health.Cause{{
		Subject: migrate.String(), Reason: "BackoffLimitExceeded", Message: "it failed once; its backoffLimit of 0 allows no further attempt",
		Children: []health.Cause{{
			Subject: "Pod/shop/storefront-migrate-1-x2x9z",
			Children: []health.Cause{{
				Subject: "container migrate", Reason: "Error", Message: "ended with exit code 3", ExitCode: code(3),
				Lines:  []string{"applying 003_orders.sql", `ERROR:  relation "orders" does not exist`},
				Advice: "mend the migration",
			}},
		}},
	}}
	var kept ledger.Log
	kept.Limits = ledger.Limits{Head: 30, Tail: 30}
	for _, text := range []string{"applying 001_init.sql", "applying 002_users.sql", "applying 003_orders.sql"} {
		kept.Add(ledger.Line{Text: text})
	}
	run := ledger.Run{
		Hook: "storefront-migrate-1", Attempt: 1, Object: migrate, Phase: release.PhaseFailed, Started: start, Ended: start.Add(2 * time.Second),
		Pods: []ledger.Pod{{Containers: []ledger.Container{{Name: "migrate", Log: kept}}}},
	}
	s.add(event.Notice{Problem: diag.Problem{Severity: diag.Warning, Summary: "the chart is deprecated", Detail: "use shop\ninstead", File: "storefront/Chart.yaml"}})
	s.start(id)
	s.observe(id, migrate, health.Status{Reason: "Running", Message: "1 active"})
	s.observe(id, migrate, health.Status{Reason: "Unschedulable", Message: "the only node cannot take the pod: not enough free cpu"})
	s.wait(2 * time.Second)
	s.log(id, "storefront-migrate-1", `ERROR:  relation "orders" does not exist`)
	s.add(event.RunFinished{StepID: id, Run: run, Causes: causes})
	s.wait(2 * time.Second)
	run.Attempt = 2
	s.add(event.RunFinished{StepID: id, Run: run, Causes: causes, Final: true})
	s.fail(id, errors.New("pre-upgrade hook failed"), causes...)
	s.do("clean/Job/storefront-migrate-1", 0, event.Unchanged, "")
	s.skip("apply/Deployment/storefront-web", "apply/Service/web", "wait/ready", "post-upgrade/Job/warm", "record/deployed")
	return s.end(true)
}

// refusedObject is a run in which the API server refuses an object.
func refusedObject() []event.Event {
	s := newStory(plan.Upgrade, applyStep(web), applyStep(ref("Service", "web")), recordStep(release.Failed))
	s.start("apply/Deployment/storefront-web")
	s.wait(100 * time.Millisecond)
	s.fail("apply/Deployment/storefront-web", errors.New("patch Deployment/shop/storefront-web: admission webhook \"x\" denied the request:\nno"))
	s.skip("apply/Service/web")
	s.start("record/failed")
	s.fail("record/failed", errors.New("update Secret/shop/sh.helm.release.v1.storefront.v1: etcdserver: timeout"))
	return s.end(true)
}

// neverReady is a wait that ends at its timeout.
func neverReady() []event.Event {
	s := newStory(plan.Install, waitStep(web, ref("StatefulSet", "db")))
	s.start("wait/ready")
	s.observe("wait/ready", ref("StatefulSet", "db"), rolling("0 of 1 replicas ready"))
	s.observe("wait/ready", web, rolling("0 of 1 replicas ready"))
	s.wait(5 * time.Minute)
	s.fail("wait/ready", errors.New("not ready within 5m0s"), health.Cause{Subject: web.String(), Reason: "RollingOut", Message: "0 of 1 replicas ready"},
		health.Cause{Subject: "StatefulSet/shop/db", Reason: "RollingOut", Message: "0 of 1 replicas ready"})
	return s.end(true)
}

// recordedFailure is what follows a failure: a plan that only writes a record.
func recordedFailure() []event.Event {
	s := newStory(plan.Upgrade, recordStep(release.Failed))
	s.do("record/failed", 0, event.Done, "")
	return s.end(false)
}

// play shows a story in the plain view and gives both streams' text.
func play(events []event.Event, opts Options) string {
	var out, err strings.Builder
	v := NewPlain(Streams{Out: &out, Err: &err}, opts)
	for _, e := range events {
		v.Sink(e)
	}
	v.Close()
	text := out.String()
	if err.Len() > 0 {
		text += "--- stderr ---\n" + err.String()
	}
	return text
}

func TestPlain(t *testing.T) {
	all := func(m LogMode) Options { return Options{Logs: m} }
	cases := []struct {
		name   string
		events []event.Event
		opts   Options
	}{
		{"plain-install", installed(), DefaultOptions()},
		{"plain-install-logs", installed(), all(LogsAlways)},
		{"plain-install-each", installed(), Options{Logs: LogsAuto, EachObject: true}},
		{"plain-broken-migration", brokenMigration(), DefaultOptions()},
		{"plain-broken-migration-logs-always", brokenMigration(), all(LogsAlways)},
		{"plain-broken-migration-logs-failed", brokenMigration(), all(LogsFailed)},
		{"plain-broken-migration-logs-never", brokenMigration(), all(LogsNever)},
		{"plain-refused", refusedObject(), DefaultOptions()},
		{"plain-never-ready", neverReady(), DefaultOptions()},
	}
	if got := play(recordedFailure(), DefaultOptions()); got != "" {
		t.Errorf("a plan that only writes a record shows\n%s", got)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { golden(t, c.name, play(c.events, c.opts)) })
	}
}
