package engine

import (
	"context"
	"time"

	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hints are what only events tell of objects that do not start. They are read
// now and then, and only while something does not start.
type hints struct {
	engine *Engine
	known  map[string]*hint
}

// hint is about one object.
type hint struct {
	since, asked time.Time
	status       health.Status
	found        bool
}

const (
	// hintAfter is how long an object may take to start before events are
	// read: most start in less.
	hintAfter = 2 * time.Second
	// hintEvery is how often they are read again.
	hintEvery = 5 * time.Second
	// hintLimit bounds one reading: nothing waits for it.
	hintLimit = 3 * time.Second
)

func newHints(e *Engine) *hints { return &hints{engine: e, known: map[string]*hint{}} }

// about is what events tell of an object that has not started.
func (h *hints) about(ctx context.Context, obj *unstructured.Unstructured) (health.Status, bool) {
	uid, now := string(obj.GetUID()), h.engine.now()
	k := h.known[uid]
	if k == nil {
		k = &hint{since: now}
		h.known[uid] = k
	}
	if now.Sub(k.since) < hintAfter || !k.asked.IsZero() && now.Sub(k.asked) < hintEvery {
		return k.status, k.found
	}
	k.asked = now
	ctx, cancel := context.WithTimeout(ctx, hintLimit)
	defer cancel()
	// They are a help: without the permission to read them there is none.
	if events, err := h.engine.cluster.Events(ctx, object.RefOf(obj), uid); err == nil {
		k.status, k.found = health.Hindrance(obj, healthEvents(events, uid))
	}
	return k.status, k.found
}

// started forgets what hindered an object.
func (h *hints) started(uid string) { delete(h.known, uid) }

// podStarted tells that some container of the pod has run.
func podStarted(pod *unstructured.Unstructured) bool {
	for _, c := range containersOf(pod) {
		if c.HasRun || c.Restarts > 0 {
			return true
		}
	}
	return false
}

// podTrouble is what keeps a pod from its work, as its status or, while it has
// not started, its events tell.
func (h *hints) podTrouble(ctx context.Context, pod *unstructured.Unstructured) (health.Status, bool) {
	if trouble, ok := health.PodTrouble(pod); ok {
		return trouble, true
	}
	if podEnded(pod) || podStarted(pod) || pod.GetDeletionTimestamp() != nil {
		h.started(string(pod.GetUID()))
		return health.Status{}, false
	}
	return h.about(ctx, pod)
}
