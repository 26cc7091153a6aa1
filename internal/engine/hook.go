package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrInterrupted marks a step that was stopped from outside.
var ErrInterrupted = errors.New("interrupted")

// HookError is a hook or test that failed. Run holds the evidence.
type HookError struct {
	Run ledger.Run
}

// Error names event, object and reason.
func (e *HookError) Error() string {
	text := fmt.Sprintf("%s hook %s failed", e.Run.Event, e.Run.Object)
	if e.Run.Event == release.Test {
		text = fmt.Sprintf("test %s failed", e.Run.Object)
	}
	if e.Run.Reason != "" {
		text += ": " + e.Run.Reason
	}
	if e.Run.Message != "" {
		text += ": " + e.Run.Message
	}
	return text
}

// runHook runs a hook, again and again as its retries allow.
func (w *walk) runHook(ctx, soft context.Context, s plan.Step, a plan.RunHook) outcome {
	e := w.engine
	if o, done := e.before(a); done {
		return o
	}
	for attempt := 1; ; attempt++ {
		h := &hookRun{engine: e, ahead: &w.ahead, step: s, action: a, run: ledger.Run{
			Release: w.plan.Release, Namespace: w.plan.Namespace, Revision: w.plan.Revision,
			Event: a.Event, Hook: a.Hook.Name, Weight: a.Hook.Weight, Suite: a.Suite,
			Operation: w.operation, Attempt: attempt, Object: object.RefOf(a.Object), Started: e.now(), Phase: release.PhaseRunning,
		}}
		e.remember(a.Hook, release.Execution{StartedAt: h.run.Started, Phase: release.PhaseRunning}, "")
		o := h.execute(ctx, soft)
		h.run.Ended = e.now()
		e.remember(a.Hook, release.Execution{StartedAt: h.run.Started, CompletedAt: h.run.Ended, Phase: h.run.Phase}, h.run.UID)
		final := o.err == nil || attempt > a.Retries || soft.Err() != nil
		w.mu.Lock()
		w.result.Runs = append(w.result.Runs, h.run)
		w.mu.Unlock()
		e.scribe.add(ctx, h.run)
		e.sink(event.RunFinished{StepID: s.ID, Run: h.run, Causes: o.causes, Final: final})
		if final {
			return o
		}
		e.scribe.secure(ctx)
		if _, err := e.remove(soft, h.run.Object, h.run.UID, metav1.DeletePropagationForeground, true, a.Timeout); err != nil {
			return outcome{err: fmt.Errorf("removing attempt %d of %s: %w", attempt, h.run.Object, err)}
		}
	}
}

// hookRun is one attempt of one hook.
type hookRun struct {
	engine *Engine
	ahead  *ahead
	step   plan.Step
	action plan.RunHook
	run    ledger.Run
	// secrets reads what the run's pods can see.
	secrets *secretReader
	// quiet keeps the run's events to itself: it is another operation's.
	quiet bool
}

// tell sends an event of the run.
func (h *hookRun) tell(e event.Event) {
	if !h.quiet {
		h.engine.sink(e)
	}
}

// execute brings the object in and, if it is one that ends, sees it through.
func (h *hookRun) execute(ctx, soft context.Context) outcome {
	limited, cancel := withLimit(soft, h.action.Timeout)
	defer cancel()
	ref := h.run.Object
	if !Ends(ref) {
		err := h.place(limited)
		h.ahead.look(ctx)
		return h.end(err)
	}
	h.secrets = h.engine.readSecrets(ctx, h.action.Object)
	defer h.secrets.close()
	watching, stopWatch := context.WithCancel(ctx)
	defer stopWatch()
	seen, err := h.ahead.watch(watching, h)
	if err != nil {
		return h.end(err)
	}
	if err := h.place(limited); err != nil {
		return h.end(err)
	}
	h.ahead.look(ctx)
	m := newMonitor(ctx, h)
	defer m.close()
	verdict, left := h.seeThrough(ctx, soft, limited, m, seen)
	m.drain(ctx, seen)
	return h.judged(ctx, soft, m, verdict, left)
}

// seeThrough follows the run to its verdict, and stops what is not to run any
// longer. Left tells that it was left running, as the user wishes.
func (h *hookRun) seeThrough(ctx, soft, limited context.Context, m *monitor, seen <-chan object.Observation) (verdict health.Status, left bool) {
	verdict = m.follow(limited, seen)
	if limited.Err() != nil && verdict.State == health.InProgress {
		verdict = h.gaveUp(soft, verdict)
		left = soft.Err() != nil && h.engine.opts.LeaveRunning
	}
	if left {
		m.keepSight()
		verdict.Message = "it was left running"
	} else if verdict.State == health.Failed && m.atWork() {
		// What was given up must not come to life when nobody reckons with it any more.
		m.keepSight()
		if err := h.stop(ctx, m, seen); err != nil {
			verdict.Message += fmt.Sprintf("; stopping it failed: %v", err)
		}
	}
	return verdict, left
}

// judged fills in what came of the run, with the causes where it failed.
func (h *hookRun) judged(ctx, soft context.Context, m *monitor, verdict health.Status, left bool) outcome {
	h.run.Pods = m.records()
	if verdict.State == health.Ready {
		h.run.Phase = release.PhaseSucceeded
		h.engine.masker.get().Run(&h.run)
		return outcome{}
	}
	h.run.Phase, h.run.Reason, h.run.Message = release.PhaseFailed, verdict.Reason, verdict.Message
	if left {
		h.run.Phase = release.PhaseRunning // so that no delete policy takes it away
	}
	causes := m.causes(ctx)
	h.run.Message = withRoot(h.run, causes)
	o := outcome{causes: h.engine.maskCauses(causes)}
	h.run.Events = m.events
	h.engine.masker.get().Run(&h.run)
	o.err = &HookError{Run: h.run}
	if soft.Err() != nil {
		o.err = fmt.Errorf("%w: %w", ErrInterrupted, o.err)
	}
	return o
}

// PhaseSkipped is that of a run which the operator left out. It is kept in the
// ledger; Helm's record shows such a hook as one that never ran.
const PhaseSkipped release.Phase = "Skipped"

func (w *walk) skipHook(s plan.Step, a plan.SkipHook) outcome {
	now := w.engine.now()
	run := ledger.Run{
		Release: w.plan.Release, Namespace: w.plan.Namespace, Revision: w.plan.Revision,
		Event: a.Event, Hook: a.Hook.Name, Weight: a.Hook.Weight, Suite: a.Suite, Attempt: 1,
		Object: a.Ref, Started: now, Ended: now, Phase: PhaseSkipped, Reason: "Skipped", Message: s.Reason,
	}
	w.mu.Lock()
	w.result.Runs = append(w.result.Runs, run)
	w.mu.Unlock()
	w.engine.sink(event.RunFinished{StepID: s.ID, Run: run, Final: true})
	return outcome{Outcome: event.Unchanged, note: s.Reason}
}

// end closes a run that has no course to watch.
func (h *hookRun) end(err error) outcome {
	if err == nil {
		h.run.Phase = release.PhaseSucceeded
		return outcome{}
	}
	cause := health.Cause{Subject: h.run.Object.String(), Message: err.Error()}
	var refused *object.RequestError
	if errors.As(err, &refused) && refused.Error() == err.Error() {
		if why := health.ExplainRefusal("", err); why.Advice != "" {
			cause = why
		}
	}
	causes := h.engine.maskCauses([]health.Cause{cause})
	h.run.Phase, h.run.Reason, h.run.Message = release.PhaseFailed, causes[0].Reason, causes[0].Message
	return outcome{err: &HookError{Run: h.run}, causes: causes}
}

// gaveUp words why a run that has not ended is over all the same.
func (h *hookRun) gaveUp(soft context.Context, last health.Status) health.Status {
	if soft.Err() != nil {
		return health.Status{State: health.Failed, Reason: "Interrupted", Message: "it was stopped before it had finished"}
	}
	text := fmt.Sprintf("it did not finish within %s", h.action.Timeout)
	if last.Message != "" {
		text += "; at the end: " + last.Message
	}
	return health.Status{State: health.Failed, Reason: "Timeout", Message: text}
}

// targets are what is watched for one hook: the object and, for a Job, its pods.
func targets(ref object.Ref) []object.Target {
	own := object.TargetOf(ref)
	if ref.Is("", "Pod") {
		return []object.Target{own}
	}
	return []object.Target{own, {
		Version: "v1", Kind: "Pod", Namespace: ref.Namespace, Selector: "batch.kubernetes.io/job-name=" + ref.Name,
	}}
}

// cleanHook deletes what the hook's policies say for the way it ended, and
// awaits its end, so that the next run finds the name free.
func (e *Engine) cleanHook(ctx context.Context, a plan.CleanHook) outcome {
	run, uid, ok := e.recall(a.Hook)
	// Without a UID the run made nothing: what bears the name is another's.
	if !ok || uid == "" || !deletes(a.Policies, run.Phase) {
		return outcome{Outcome: event.Unchanged}
	}
	if run.Phase == release.PhaseFailed { // that one succeeded is in the journal, should this run be killed now
		e.scribe.secure(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, max(e.opts.StopGrace, time.Second))
	defer cancel()
	gone, err := e.remove(ctx, a.Ref, uid, metav1.DeletePropagationBackground, true, a.Timeout)
	if err != nil {
		return outcome{err: fmt.Errorf("deleting hook %s after it %s: %w", a.Ref, ended(run.Phase), err)}
	}
	if gone {
		return outcome{Outcome: event.Unchanged, note: "already gone"}
	}
	return outcome{note: "deleted"}
}

func ended(p release.Phase) string {
	if p == release.PhaseSucceeded {
		return "succeeded"
	}
	return "failed"
}

func deletes(policies []release.DeletePolicy, phase release.Phase) bool {
	for _, p := range policies {
		if p == release.HookSucceeded && phase == release.PhaseSucceeded || p == release.HookFailed && phase == release.PhaseFailed {
			return true
		}
	}
	return false
}
