package engine

import (
	"context"
	"fmt"

	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// writeRecord stores a revision with the planned status and what is known of
// hooks that have run. The plan's own record is not changed.
func (e *Engine) writeRecord(ctx context.Context, a plan.WriteRecord) error {
	r := a.Release.Clone()
	r.SetStatus(a.Status, a.Description)
	e.mu.Lock()
	for i, planned := range a.Release.Hooks {
		if run, ok := e.ran[planned]; ok {
			r.Hooks[i].LastRun = run
		}
	}
	e.mu.Unlock()
	store := e.records.Update
	if a.Create {
		store = e.records.Create
	}
	if err := store(ctx, r); err != nil {
		return fmt.Errorf("recording revision %d as %s: %w", r.Revision, a.Status, err)
	}
	if a.Create {
		e.scribe.begin(ctx, r.Name, r.Revision)
	}
	e.mu.Lock()
	e.written[r.Revision] = r
	e.mu.Unlock()
	return nil
}

// deleteRecord removes a revision from the history. Its ledger goes with it,
// unless the plan wants to keep that for a while.
func (e *Engine) deleteRecord(ctx context.Context, a plan.DeleteRecord) outcome {
	if a.KeepLedger && e.scribe != nil {
		e.scribe.finish(ctx)
		if err := e.opts.Ledger.Detach(ctx, a.Release.Name, a.Release.Revision); err != nil {
			e.noticeLedger(err)
		}
	}
	return outcome{err: e.records.Delete(ctx, a.Release)}
}

// remember keeps the outcome of a hook for the records to come.
func (e *Engine) remember(h *release.Hook, run release.Execution, uid string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ran[h] = run
	e.uids[h] = uid
}

func (e *Engine) recall(h *release.Hook) (release.Execution, string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	run, ok := e.ran[h]
	return run, e.uids[h], ok
}
