package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// NotReadyError is a wait that ended before everything was ready.
type NotReadyError struct {
	// Objects are those that were not ready, with what was known of each.
	Objects []object.Ref
	States  []health.Status
	// Timeout is the limit that passed; 0 when something failed for good.
	Timeout time.Duration
}

// Error names each object and why.
func (e *NotReadyError) Error() string {
	var parts []string
	for i, ref := range e.Objects {
		text := ref.String()
		if m := e.States[i].Message; m != "" {
			text += ": " + m
		}
		parts = append(parts, text)
	}
	if e.Timeout > 0 {
		return fmt.Sprintf("not ready within %s: %s", e.Timeout, strings.Join(parts, "; "))
	}
	return "cannot become ready: " + strings.Join(parts, "; ")
}

// await waits for all objects of the action, sees what keeps them from being
// ready, and ends early for what cannot heal.
func (e *Engine) await(ctx context.Context, stepID string, a plan.Await) outcome {
	t := newTracker(e, stepID, a)
	if len(t.pending()) == 0 {
		return outcome{}
	}
	limited, cancel := withLimit(ctx, a.Timeout)
	defer cancel()
	seen, err := e.cluster.Watch(limited, t.targets())
	if err != nil {
		return outcome{err: err}
	}
	// What explains a wait is a help, not a need: without the permission to
	// watch pods the wait goes on, with less to say.
	var around <-chan object.Observation
	if surroundings := t.surroundings(); len(surroundings) > 0 {
		around, _ = e.cluster.Watch(limited, surroundings)
	}
	if t.run(limited, seen, around) {
		return outcome{}
	}
	failure := t.failure(a.Timeout, limited.Err() != nil)
	if ctx.Err() != nil {
		return outcome{err: fmt.Errorf("%w: %w", ErrInterrupted, failure)}
	}
	causes, stop := context.WithTimeout(context.WithoutCancel(ctx), max(e.opts.DrainGrace, time.Second))
	defer stop()
	return outcome{err: failure, causes: t.causes(causes, failure)}
}

// tracker holds the state of one wait.
type tracker struct {
	engine *Engine
	stepID string
	action plan.Await

	order   []object.Ref
	objects map[object.Key]*unstructured.Unstructured
	states  map[object.Key]health.Status
	// around are pods, ReplicaSets and claims near the awaited objects, by UID.
	around   map[string]*unstructured.Unstructured
	settlers settlers
	patience *patience
	hints    *hints
	hopeless object.Key
	// fell are Deployments that have been seen to lose a ready pod.
	fell map[object.Key]bool
}

func newTracker(e *Engine, stepID string, a plan.Await) *tracker {
	t := &tracker{
		engine: e, stepID: stepID, action: a,
		objects: map[object.Key]*unstructured.Unstructured{}, states: map[object.Key]health.Status{},
		around: map[string]*unstructured.Unstructured{}, settlers: newSettlers(e.opts.Settle), patience: newPatience(e), hints: newHints(e), fell: map[object.Key]bool{},
	}
	for _, ref := range a.Objects {
		if health.NeedsWatch(ref.Group, ref.Kind) {
			t.order = append(t.order, ref)
			t.states[ref.Key()] = health.Status{State: health.InProgress, Message: "not seen yet"}
		}
	}
	return t
}

func (t *tracker) targets() []object.Target {
	var out []object.Target
	for _, ref := range t.order {
		out = append(out, object.TargetOf(ref))
	}
	return out
}

// surroundings are the kinds that explain a workload, in the namespaces of the
// awaited workloads.
func (t *tracker) surroundings() []object.Target {
	var out []object.Target
	seen := map[string]bool{}
	for _, ref := range t.order {
		if seen[ref.Namespace] || !workload(ref) {
			continue
		}
		seen[ref.Namespace] = true
		out = append(out,
			object.Target{Version: "v1", Kind: "Pod", Namespace: ref.Namespace},
			object.Target{Group: "apps", Version: "v1", Kind: "ReplicaSet", Namespace: ref.Namespace})
	}
	return out
}

func workload(ref object.Ref) bool {
	switch ref.Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		return ref.Group == "apps"
	case "Job":
		return ref.Group == "batch"
	case "Pod":
		return ref.Group == ""
	}
	return false
}

// run takes observations in until all is ready (true), something cannot
// become ready, or ctx ends (false).
func (t *tracker) run(ctx context.Context, seen, around <-chan object.Observation) bool {
	tick := time.NewTimer(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case o, ok := <-seen:
			if !ok {
				return false
			}
			t.note(o)
		case o, ok := <-around:
			if !ok {
				around = nil
				continue
			}
			t.noteAround(o)
		case <-tick.C:
			tick.Reset(time.Second)
		}
		if t.stuck(ctx) {
			return false
		}
		rest := t.settle()
		if len(t.pending()) == 0 && t.reopen() {
			return true
		}
		if rest > 0 {
			tick.Reset(min(rest, time.Second))
		}
	}
}

func (t *tracker) note(o object.Observation) {
	key := o.Ref.Key()
	if _, awaited := t.states[key]; !awaited {
		return
	}
	if o.Gone || o.Object == nil {
		delete(t.objects, key)
		t.set(o.Ref, health.Status{State: health.InProgress, Reason: "NotFound", Message: "it is not in the cluster"})
		return
	}
	if before := t.objects[key]; before != nil && health.FewerReady(before, o.Object) {
		t.fell[key] = true
	}
	t.objects[key] = o.Object
	status, _ := t.judge(o.Ref)
	t.set(o.Ref, status)
}

// judge is an object's state by what is known of it, and whether its pods
// have decided that. Those of a Deployment that has lost a ready pod before our
// eyes do not: what we see of them may be the older news.
func (t *tracker) judge(ref object.Ref) (_ health.Status, byPods bool) {
	obj := t.objects[ref.Key()]
	status := health.Readiness(obj, health.Options{Jobs: t.action.Jobs})
	if status.State == health.InProgress && !t.fell[ref.Key()] && health.ReadyByPods(obj, t.related()) {
		return health.Status{State: health.Ready}, true
	}
	return status, false
}

func (t *tracker) set(ref object.Ref, s health.Status) {
	if t.states[ref.Key()] == s {
		return
	}
	t.states[ref.Key()] = s
	delete(t.settlers.open, ref.Key())
	if s.State == health.Ready {
		if rest, run := t.unsettled(ref); rest > 0 {
			t.beginSettling(ref, rest, run)
			return
		}
	}
	t.show(ref, s)
}

func (t *tracker) show(ref object.Ref, s health.Status) {
	s.Message = t.engine.masker.get().Text(s.Message)
	t.engine.sink(event.ObjectObserved{StepID: t.stepID, Object: ref, Status: s, Time: t.engine.now()})
}

func (t *tracker) noteAround(o object.Observation) {
	if o.Object == nil {
		return
	}
	uid := string(o.Object.GetUID())
	t.around[uid] = o.Object
	if o.Gone {
		delete(t.around, uid)
	}
	rs := o.Object
	if rs.GetKind() == "Pod" {
		rs = t.around[controller(rs, "ReplicaSet")]
	}
	if rs != nil {
		t.reconsider(controller(rs, "Deployment"))
	}
}

// reconsider has a Deployment be ready when its pods are and only its own status
// is behind, and no longer when that has changed: the status may never have
// said either.
func (t *tracker) reconsider(uid string) {
	for _, ref := range t.order {
		obj := t.objects[ref.Key()]
		if obj == nil || uid == "" || string(obj.GetUID()) != uid {
			continue
		}
		status, byPods := t.judge(ref)
		if now := t.states[ref.Key()].State; byPods && now == health.InProgress || now == health.Ready && status.State == health.InProgress {
			t.set(ref, status)
		}
		return
	}
}

// controller is the UID of the object of that kind that has made this one; empty
// where none has.
func controller(o *unstructured.Unstructured, kind string) string {
	for _, owner := range o.GetOwnerReferences() {
		if owner.Kind == kind && owner.Controller != nil && *owner.Controller {
			return string(owner.UID)
		}
	}
	return ""
}

// stuck looks for an awaited object that cannot become ready: one that a
// controller has given up, or whose pods cannot run. Trouble that may heal
// shows as the object's state.
func (t *tracker) stuck(ctx context.Context) bool {
	related := t.related()
	for _, ref := range t.order {
		key := ref.Key()
		if t.states[key].State == health.Failed {
			t.hopeless = key
			return true
		}
		obj := t.objects[key]
		if t.states[key].State != health.InProgress || obj == nil {
			continue
		}
		pods := related.Pods(obj)
		for _, pod := range pods {
			trouble, ok := t.hints.podTrouble(ctx, pod)
			if !ok {
				t.patience.well(string(pod.GetUID()), pod)
				continue
			}
			trouble.Message = pod.GetName() + ": " + trouble.Message
			if t.trouble(ref, pod, trouble) {
				return true
			}
		}
		if len(pods) > 0 {
			continue
		}
		if trouble, ok := t.podless(ctx, ref, obj); ok && t.trouble(ref, obj, trouble) {
			return true
		}
	}
	return false
}

// podless is why a workload without pods has none. A Deployment repeats what
// its ReplicaSet was told; of others only events tell.
func (t *tracker) podless(ctx context.Context, ref object.Ref, obj *unstructured.Unstructured) (health.Status, bool) {
	if !workload(ref) {
		return health.Status{}, false
	}
	if status := t.states[ref.Key()]; ref.Kind == "Deployment" {
		return status, status.Trouble()
	}
	return t.hints.about(ctx, obj)
}

// trouble shows what is wrong with an awaited object, and says whether that
// ends the wait.
func (t *tracker) trouble(ref object.Ref, of *unstructured.Unstructured, trouble health.Status) bool {
	t.set(ref, health.Status{State: health.InProgress, Reason: trouble.Reason, Message: trouble.Message, Patience: trouble.Patience})
	if !t.patience.spent(string(of.GetUID()), of, trouble) {
		return false
	}
	t.set(ref, health.Status{State: health.Failed, Reason: trouble.Reason, Message: trouble.Message, Patience: health.Never})
	t.hopeless = ref.Key()
	return true
}

func (t *tracker) related() health.Related {
	var r health.Related
	for _, o := range t.around {
		r.Objects = append(r.Objects, o)
	}
	return r
}

// pending are the awaited objects that are not ready.
func (t *tracker) pending() []object.Ref {
	var out []object.Ref
	for _, ref := range t.order {
		if t.states[ref.Key()].State != health.Ready {
			out = append(out, ref)
		}
	}
	return out
}

// failure names what was not ready: the hopeless one alone, or all of them.
func (t *tracker) failure(limit time.Duration, timedOut bool) *NotReadyError {
	f := &NotReadyError{}
	for _, ref := range t.order {
		state := t.states[ref.Key()]
		if settling, open := t.settlers.open[ref.Key()]; open {
			state = settling.Status
		}
		if state.State == health.Ready || !timedOut && ref.Key() != t.hopeless {
			continue
		}
		f.Objects = append(f.Objects, ref)
		f.States = append(f.States, state)
	}
	if timedOut {
		f.Timeout = limit
	}
	return f
}

// causes explain each object that was not ready, with the last lines of its
// pods' logs and the events about them.
func (t *tracker) causes(ctx context.Context, failure *NotReadyError) []health.Cause {
	var out []health.Cause
	for _, ref := range failure.Objects {
		obj := t.objects[ref.Key()]
		if obj == nil {
			out = append(out, health.Cause{Subject: ref.String(), Message: t.states[ref.Key()].Message})
			continue
		}
		related := t.related()
		t.engine.addEvidence(ctx, &related, obj)
		cause := health.Explain(obj, related)
		if settling, open := t.settlers.open[ref.Key()]; open {
			cause.Reason, cause.Message = settling.Reason, settling.Message
			// What runs again now tells more than old events do.
			if restarts := health.ExplainRestarts(obj, related); len(restarts) > 0 {
				cause.Children = restarts
			}
		}
		out = append(out, cause)
	}
	return out
}
