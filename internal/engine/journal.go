package engine

import (
	"context"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// Journal is told how far a run has come, so that the next one can tell where
// it died. Its methods must not block, and may be called from several
// goroutines. What was told must be kept before the next change to the cluster is made; that
// is for whoever wires it with the Cluster.
type Journal interface {
	// Begin is called when a step starts.
	Begin(s plan.Step)
	// Made tells which object a hook's step has created, and in which attempt of
	// which operation.
	Made(s plan.Step, run ledger.Run)
	// Succeeded tells that a hook's step came to a good end.
	Succeeded(s plan.Step, run release.Execution, uid string)
}

// begin tells the journal, if there is one.
func (w *walk) begin(s plan.Step) {
	if j := w.engine.opts.Journal; j != nil {
		j.Begin(s)
	}
}

// noteHook tells the journal how a hook ended.
func (w *walk) noteHook(s plan.Step, o outcome) {
	hook, ok := s.Action.(plan.RunHook)
	if !ok || w.engine.opts.Journal == nil || o.err != nil {
		return
	}
	run, uid, _ := w.engine.recall(hook.Hook)
	w.engine.opts.Journal.Succeeded(s, run, uid)
}

// before takes over what an earlier run of the same revision did of a hook:
// true when nothing is left to do.
func (e *Engine) before(a plan.RunHook) (outcome, bool) {
	if a.Before == nil || !a.Before.Done {
		return outcome{}, false
	}
	e.remember(a.Hook, release.Execution{
		StartedAt: a.Before.Started, CompletedAt: a.Before.Ended, Phase: release.PhaseSucceeded,
	}, a.Before.UID)
	return outcome{Outcome: event.Unchanged, note: "done before the interruption"}, true
}

// join takes the object of an earlier run of the same revision as our own, if
// it is still there.
func (h *hookRun) join(ctx context.Context) bool {
	if h.action.Before == nil || h.action.Before.UID == "" || h.run.Attempt > 1 {
		return false
	}
	live, err := h.engine.cluster.Get(ctx, object.RefOf(h.action.Object))
	if err != nil || string(live.GetUID()) != h.action.Before.UID || live.GetDeletionTimestamp() != nil {
		return false
	}
	h.made(live)
	return true
}
