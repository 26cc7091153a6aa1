package engine

import (
	"context"
	"sync"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// ahead are watches for the hooks that come next, opened while the one before
// them runs: from one hook's end to the next one's creation there is no other
// request than the creation. A hook that was not looked ahead for opens its own.
type ahead struct {
	engine *Engine

	mu sync.Mutex
	// next are the steps to look for once a hook of the present stage is in the
	// cluster.
	next []plan.Step
	// views are by the id of the hook's step.
	views map[string]*view
}

// view is one watch that is being opened, or open.
type view struct {
	cancel context.CancelFunc
	// opened is closed when seen and err are set.
	opened chan struct{}
	seen   <-chan object.Observation
	err    error
}

// plan says which steps come after the present stage: those of the next one,
// where it goes on with the hooks of the same event.
func (a *ahead) plan(now plan.Step, later []plan.Step) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = nil
	if _, hook := now.Action.(plan.RunHook); !hook || len(later) == 0 || !sameHooks(now, later[0]) {
		return
	}
	end := 1
	for end < len(later) && later[end].Stage == later[0].Stage {
		end++
	}
	a.next = later[:end]
}

// look begins to watch for those of the next steps that are hooks with an end.
// It is called when a hook has been created: sooner, it would compete with that.
func (a *ahead) look(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.next {
		hook, ok := s.Action.(plan.RunHook)
		if !ok || !Ends(object.RefOf(hook.Object)) || a.views[s.ID] != nil {
			continue
		}
		if a.views == nil {
			a.views = map[string]*view{}
		}
		watching, cancel := context.WithCancel(ctx)
		v := &view{cancel: cancel, opened: make(chan struct{})}
		a.views[s.ID] = v
		go func() {
			defer close(v.opened)
			v.seen, v.err = a.engine.cluster.Watch(watching, targets(object.RefOf(hook.Object)))
		}()
	}
}

// watch gives the watch that was opened for the step, or opens one. It ends
// with ctx. A retry finds the first one used up.
func (a *ahead) watch(ctx context.Context, h *hookRun) (<-chan object.Observation, error) {
	a.mu.Lock()
	v := a.views[h.step.ID]
	a.mu.Unlock()
	if v == nil || h.run.Attempt > 1 {
		return h.engine.cluster.Watch(ctx, targets(h.run.Object))
	}
	context.AfterFunc(ctx, v.cancel)
	<-v.opened
	if v.err != nil { // what was wrong then may be well now
		return h.engine.cluster.Watch(ctx, targets(h.run.Object))
	}
	return v.seen, nil
}

// close ends all watches and returns when they have ended.
func (a *ahead) close() {
	for _, v := range a.views {
		v.cancel()
		<-v.opened
		if v.err != nil {
			continue
		}
		for range v.seen { // until it is closed
		}
	}
}
