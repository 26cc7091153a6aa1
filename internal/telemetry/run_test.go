package telemetry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	record "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// told collects what a run sends.
type told struct {
	*Run
	begun time.Time
	spans []*trace.Span
	logs  []*record.LogRecord
}

// listen makes a run of `pintle upgrade` that sends to us; to be called in a bubble.
func listen(t *testing.T, env string) *told {
	t.Helper()
	s, problems := read("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318\n" + env)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	out := &told{begun: time.Now()}
	out.Run = begin(s, Command{Name: "pintle upgrade", Namespace: "web", Started: time.Now()})
	if s.sampled() {
		out.Run.spans = newCourier(t.Context(), defaultPace(), func(_ context.Context, batch []*trace.Span) (int, error) {
			out.spans = append(out.spans, batch...)
			return 0, nil
		})
	}
	out.Run.logs = newCourier(t.Context(), defaultPace(), func(_ context.Context, batch []*record.LogRecord) (int, error) {
		out.logs = append(out.logs, batch...)
		return 0, nil
	})
	return out
}

// after is that long after the beginning.
func (l *told) after(seconds int) time.Time {
	return l.begun.Add(time.Duration(seconds) * time.Second)
}

// String is the tree of spans, with those attributes, and then the logs.
func (l *told) String() string {
	var b strings.Builder
	l.below(&b, l.root.up, "")
	for _, r := range l.logs {
		at := "nowhere"
		for _, s := range l.spans {
			if string(s.SpanId) == string(r.SpanId) {
				at = s.Name
			}
		}
		fmt.Fprintf(&b, "log %s in %q: %s%s%s\n", l.seconds(r.TimeUnixNano), at, strings.TrimSuffix(r.SeverityText+" ", " "), text(r.Attributes), " | "+r.Body.GetStringValue())
	}
	return b.String()
}

func (l *told) seconds(nano uint64) string {
	return fmt.Sprintf("%gs", time.Unix(0, int64(nano)).Sub(l.begun).Seconds())
}

func (l *told) below(b *strings.Builder, up []byte, indent string) {
	var here []*trace.Span
	for _, s := range l.spans {
		if string(s.ParentSpanId) == string(up) {
			here = append(here, s)
		}
	}
	slices.SortStableFunc(here, func(a, c *trace.Span) int { return int(int64(a.StartTimeUnixNano) - int64(c.StartTimeUnixNano)) })
	for _, s := range here {
		fmt.Fprintf(b, "%s%s %s-%s%s\n", indent, s.Name, l.seconds(s.StartTimeUnixNano), l.seconds(s.EndTimeUnixNano), text(s.Attributes))
		if s.Status.GetCode() != 0 {
			fmt.Fprintf(b, "%s  ! %s\n", indent, s.Status.Message)
		}
		for _, e := range s.Events {
			fmt.Fprintf(b, "%s  * %s %s%s\n", indent, l.seconds(e.TimeUnixNano), e.Name, text(e.Attributes))
		}
		l.below(b, s.SpanId, indent+"  ")
	}
}

func text(attrs []*common.KeyValue) string {
	var b strings.Builder
	for _, a := range attrs {
		value := a.Value.GetStringValue()
		if _, number := a.Value.Value.(*common.AnyValue_IntValue); number {
			value = fmt.Sprint(a.Value.GetIntValue())
		}
		fmt.Fprintf(&b, " %s=%s", strings.TrimPrefix(a.Key, "pintle."), strings.ReplaceAll(value, "\n", "; "))
	}
	return b.String()
}

func manifest(apiVersion, kind, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace("web")
	o.SetName(name)
	return o
}

var (
	job    = manifest("batch/v1", "Job", "migrate")
	web    = manifest("apps/v1", "Deployment", "web")
	config = manifest("v1", "ConfigMap", "config")

	hookStep = plan.Step{ID: "pre-upgrade/Job/web/migrate", Block: "pre-upgrade", Reason: "pre-upgrade hook", Action: plan.RunHook{
		Event: release.PreUpgrade, Hook: &release.Hook{Name: "migrate", Weight: -5}, Object: job, Retries: 1,
	}}
	applyStep = plan.Step{ID: "apply/Deployment/web/web", Block: "apply", Reason: "it differs", Action: plan.Apply{Object: web, Change: plan.Update}}
	sameStep  = plan.Step{ID: "apply/ConfigMap/web/config", Block: "apply", Action: plan.Apply{Object: config, Change: plan.Unchanged}}
	waitStep  = plan.Step{ID: "wait/ready", Block: "wait", Action: plan.Await{Goal: plan.UntilReady, Objects: []object.Ref{object.RefOf(web)}}}
	skipStep  = plan.Step{ID: "post-upgrade/Job/web/seed", Block: "post-upgrade", Reason: "left out with --hook", Action: plan.SkipHook{
		Event: release.PostUpgrade, Hook: &release.Hook{Name: "seed"}, Ref: object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: "web", Name: "seed"},
	}}
)

func (l *told) begin(op plan.Operation, steps ...plan.Step) {
	l.Sink(event.PlanStarted{Time: l.after(1), Plan: &plan.Plan{Operation: op, Release: "shop", Namespace: "web", Revision: 7, Steps: steps}})
}

func (l *told) line(second int, container, text string) {
	l.Sink(event.LogLine{
		StepID: hookStep.ID, Hook: "migrate", Pod: "migrate-x", Container: container, Line: ledger.Line{Time: l.after(second), Text: text}, Plain: "never this",
	})
}

func (l *told) ran(attempt, from, to int, final bool, run ledger.Run, causes ...health.Cause) {
	run.Attempt, run.Object, run.Started, run.Ended = attempt, object.RefOf(job), l.after(from), l.after(to)
	l.Sink(event.RunFinished{StepID: hookStep.ID, Run: run, Final: final, Causes: causes})
}

// finish ends the run; nothing may be lost.
func (l *told) finish(t *testing.T, r Result) {
	t.Helper()
	if problems := l.End(t.Context(), r); problems != nil {
		t.Errorf("told %v", problems)
	}
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, got)
	}
}

func TestAnUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listen(t, "")
		l.About("shop")
		l.begin(plan.Upgrade, hookStep, sameStep, applyStep, waitStep, skipStep)
		l.Sink(event.StepStarted{Step: hookStep, Time: l.after(2)})
		l.line(3, "prepare", "one")
		l.line(4, "main", "broken \xff byte")
		l.Sink(event.ObjectObserved{StepID: hookStep.ID, Object: object.RefOf(job), Time: l.after(4), Status: health.Status{State: health.InProgress, Reason: "Running"}})
		code := 3
		l.ran(1, 2, 5, false, ledger.Run{Phase: release.PhaseFailed, Reason: "BackoffLimitExceeded", Message: "it failed once", Pods: []ledger.Pod{{
			Name: "migrate-x", Node: "n1", Containers: []ledger.Container{{Name: "main", ExitCode: 3, Reason: "Error", Restarts: 1, Ended: l.after(4)}},
		}}}, health.Cause{Subject: "Job/web/migrate", Children: []health.Cause{{Subject: "container main", Message: "ended with exit code 3", Predicate: true, ExitCode: &code}}})
		l.line(6, "main", "again")
		l.ran(2, 5, 7, true, ledger.Run{Phase: release.PhaseSucceeded})
		l.Sink(event.StepFinished{Step: hookStep, Outcome: event.Done, Time: l.after(7)})
		for _, s := range []plan.Step{sameStep, applyStep} {
			l.Sink(event.StepStarted{Step: s, Time: l.after(8)})
		}
		l.Sink(event.StepFinished{Step: sameStep, Outcome: event.Unchanged, Time: l.after(8)})
		l.Sink(event.StepFinished{Step: applyStep, Outcome: event.Done, Note: "configured", Time: l.after(9)})
		l.Sink(event.StepStarted{Step: waitStep, Time: l.after(9)})
		l.Sink(event.StepFinished{Step: waitStep, Outcome: event.Done, Time: l.after(10)})
		l.Sink(event.StepStarted{Step: skipStep, Time: l.after(10)})
		l.Sink(event.StepFinished{Step: skipStep, Outcome: event.Unchanged, Note: "left out", Time: l.after(10)})
		l.Sink(event.PlanFinished{Time: l.after(11)})
		l.finish(t, Result{Outcome: "done", Ended: l.after(12)})
		compare(t, l.String(), `
pintle upgrade 0s-12s k8s.namespace.name=web release=shop process.exit.code=0 outcome=done
  upgrade 1s-11s release=shop k8s.namespace.name=web revision=7 operation=upgrade outcome=done
    pre-upgrade Job/migrate 2s-7s release=shop revision=7 block=pre-upgrade step=pre-upgrade/Job/web/migrate why=pre-upgrade hook object=Job/web/migrate k8s.namespace.name=web k8s.job.name=migrate hook=migrate event=pre-upgrade weight=-5 outcome=done attempts=2
      attempt 1 2s-5s attempt=1 object=Job/web/migrate k8s.namespace.name=web k8s.job.name=migrate outcome=failed reason=BackoffLimitExceeded cause=container main ended with exit code 3 process.exit.code=3 error.type=BackoffLimitExceeded
        ! it failed once
        * 4s Running object=Job/web/migrate state=in progress reason=Running
        * 4s container ended k8s.pod.name=migrate-x k8s.node.name=n1 k8s.container.name=main k8s.container.restart_count=1 reason=Error process.exit.code=3
      attempt 2 5s-7s attempt=2 object=Job/web/migrate k8s.namespace.name=web k8s.job.name=migrate outcome=succeeded
    update Deployment/web 8s-9s release=shop revision=7 block=apply step=apply/Deployment/web/web why=it differs object=Deployment/web/web k8s.namespace.name=web k8s.deployment.name=web outcome=done note=configured
    wait until ready 9s-10s release=shop revision=7 block=wait step=wait/ready outcome=done
    post-upgrade Job/seed 10s-10s release=shop revision=7 block=post-upgrade step=post-upgrade/Job/web/seed why=left out with --hook object=Job/web/seed k8s.namespace.name=web k8s.job.name=seed outcome=skipped note=left out
log 3s in "attempt 1":  release=shop revision=7 hook=migrate event=pre-upgrade attempt=1 k8s.namespace.name=web k8s.job.name=migrate k8s.pod.name=migrate-x k8s.container.name=prepare | one
log 4s in "attempt 1":  release=shop revision=7 hook=migrate event=pre-upgrade attempt=1 k8s.namespace.name=web k8s.job.name=migrate k8s.pod.name=migrate-x k8s.container.name=main | broken � byte
log 6s in "attempt 2":  release=shop revision=7 hook=migrate event=pre-upgrade attempt=2 k8s.namespace.name=web k8s.job.name=migrate k8s.pod.name=migrate-x k8s.container.name=main | again
log 12s in "pintle upgrade": INFO k8s.namespace.name=web release=shop process.exit.code=0 outcome=done | pintle upgrade: done
`)
	})
}

func TestAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listen(t, "TRACESTATE=ci=1\nTRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		l.Sink(event.Notice{Problem: diag.Problem{Severity: diag.Warning, Summary: "mind", Detail: "the gap"}})
		l.begin(plan.Upgrade, applyStep, waitStep)
		l.Sink(event.StepStarted{Step: applyStep, Time: l.after(2)})
		l.Sink(event.StepFinished{Step: applyStep, Outcome: event.Failed, Err: errors.New("refused: no room"), Time: l.after(3)})
		l.Sink(event.StepFinished{Step: waitStep, Outcome: event.Skipped, Time: l.after(3)})
		l.Sink(event.PlanFinished{Failed: true, Time: l.after(4)})
		l.begin(plan.Rollback)
		l.finish(t, Result{ExitCode: 8, Outcome: "rolled_back", Cause: "upgrade of shop failed", Ended: l.after(5)})
		compare(t, l.String(), `
pintle upgrade 0s-5s k8s.namespace.name=web process.exit.code=8 outcome=rolled_back error.type=rolled_back
  ! upgrade of shop failed
  upgrade 1s-4s release=shop k8s.namespace.name=web revision=7 operation=upgrade error.type=_OTHER outcome=failed steps_not_run=1
    ! refused: no room
    update Deployment/web 2s-3s release=shop revision=7 block=apply step=apply/Deployment/web/web why=it differs object=Deployment/web/web k8s.namespace.name=web k8s.deployment.name=web outcome=failed error.type=_OTHER
      ! refused: no room
  rollback 1s-5s release=shop k8s.namespace.name=web revision=7 operation=rollback outcome=failed error.type=_OTHER
    ! 
log 0s in "pintle upgrade": WARN k8s.namespace.name=web | mind: the gap
log 5s in "pintle upgrade": ERROR k8s.namespace.name=web process.exit.code=8 outcome=rolled_back error.type=rolled_back | upgrade of shop failed
`)
		root := l.spans[len(l.spans)-1]
		if fmt.Sprintf("%x %x %s", root.TraceId, root.ParentSpanId, root.TraceState) != "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 ci=1" {
			t.Errorf("root %v", root)
		}
		for _, r := range l.logs {
			if string(r.TraceId) != string(root.TraceId) {
				t.Errorf("a log record of another trace: %v", r)
			}
		}
	})
}

func TestAParentThatIsNotSampledTakesLogsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listen(t, "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
		l.begin(plan.Upgrade, hookStep)
		l.Sink(event.StepStarted{Step: hookStep, Time: l.after(2)})
		l.line(3, "main", "one")
		l.finish(t, Result{Outcome: "done", Ended: l.after(5)})
		if len(l.spans) != 0 || len(l.logs) != 2 || fmt.Sprintf("%x", l.logs[0].TraceId) != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("%d spans, logs: %v", len(l.spans), l.logs)
		}
	})
}

// TestAHookWithoutEndHoldsNothingUp lets a hook print faster than a collector
// that hangs takes anything.
func TestAHookWithoutEndHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := read("OTEL_EXPORTER_OTLP_ENDPOINT=http://user:secret@c:4318")
		l := &told{begun: time.Now(), Run: begin(s, Command{Name: "pintle upgrade", Started: time.Now()})}
		hang := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, errNoAnswer
		}
		l.Run.spans = newCourier(t.Context(), defaultPace(), func(ctx context.Context, _ []*trace.Span) (int, error) { return hang(ctx) })
		l.Run.logs = newCourier(t.Context(), defaultPace(), func(ctx context.Context, _ []*record.LogRecord) (int, error) { return hang(ctx) })
		l.where[traces], l.where[logs] = s.traces.url.Redacted(), s.logs.url.Redacted()
		l.begin(plan.Upgrade, hookStep)
		l.Sink(event.StepStarted{Step: hookStep, Time: l.after(2)})
		line := strings.Repeat("x", 10_000)
		for range 20_000 {
			l.line(3, "main", line)
		}
		if waiting := l.Run.logs.bytes; waiting > defaultPace().bytes {
			t.Errorf("%d bytes wait", waiting)
		}
		if passed := time.Since(l.begun); passed != 0 {
			t.Errorf("the hook was held up for %s", passed)
		}
		begun := time.Now()
		problems := l.End(t.Context(), Result{Outcome: "done", Ended: time.Now()})
		if took := time.Since(begun); took != FlushLimit {
			t.Errorf("the end took %s", took)
		}
		want := "OpenTelemetry: 2 of 2 spans and 20001 of 20001 log records did not arrive: http://user:xxxxx@c:4318/v1/traces: no answer came in time\nhttp://user:xxxxx@c:4318/v1/logs: no answer came in time"
		if len(problems) != 1 || problems[0].Error() != want {
			t.Errorf("told %v", problems)
		}
	})
}

func TestNothingIsStartedWithoutAnEndpoint(t *testing.T) {
	s, _ := read("OTEL_SERVICE_NAME=x")
	r := Start(t.Context(), s, Command{}, "v1")
	if r != nil {
		t.Fatal("a run was started")
	}
	r.About("shop")
	r.Sink(event.PlanStarted{})
	if r.End(t.Context(), Result{}) != nil {
		t.Error("it told something")
	}
}
