package engine

import (
	"time"

	"github.com/pintle-dev/pintle/internal/health"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FailFast says which troubles of pods end a wait or a hook before its timeout.
// What a controller has judged (a Job that failed) always does.
type FailFast string

// The values of FailFast.
const (
	// FailFastAuto: what cannot heal at once, what seldom does after Impatience.
	FailFastAuto FailFast = "auto"
	// FailFastAll: after Impatience also what often heals, by the hand of another.
	FailFastAll FailFast = "all"
	// FailFastNone: nothing.
	FailFastNone FailFast = "none"
)

// patience remembers since when pods have been in trouble of the kind that
// seldom heals, and says when to give up on them.
type patience struct {
	engine *Engine
	since  map[string]time.Time
	// impatient treats what often heals like what seldom does.
	impatient bool
}

func newPatience(e *Engine) *patience {
	return &patience{engine: e, since: map[string]time.Time{}, impatient: e.opts.FailFast == FailFastAll}
}

// restartGrace is how long a pod whose container was restarted must run before
// it counts as well: a crash loop looks well for a moment after each restart.
const restartGrace = 10 * time.Second

// well is called when nothing is seen to be wrong with the pod.
func (p *patience) well(uid string, pod *unstructured.Unstructured) {
	if !health.JustRestarted(pod, p.engine.now(), restartGrace) {
		delete(p.since, uid)
	}
}

// spent tells that waiting for this pod is over: at once for what cannot heal,
// after the engine's Impatience, and enough restarts where it is restarts that
// fail, for what seldom does. A pod whose work is over is about to be judged by
// those who know more: its node, and its Job's controller.
func (p *patience) spent(uid string, pod *unstructured.Unstructured, trouble health.Status) bool {
	switch {
	case p.engine.opts.FailFast == FailFastNone:
		return false
	case trouble.Patience == health.Never:
		return true
	case trouble.Patience == health.UntilTimeout && !p.impatient, pod.GetKind() == "Pod" && health.Over(pod):
		delete(p.since, uid)
		return false
	}
	first, known := p.since[uid]
	if !known {
		first = p.engine.now()
		p.since[uid] = first
	}
	limit := p.engine.opts.Impatience
	if limit <= 0 || p.engine.now().Sub(first) < limit {
		return false
	}
	restarts := health.Restarts(pod)
	return restarts == 0 || restarts >= p.engine.opts.ImpatientRestarts
}
