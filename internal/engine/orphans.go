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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// OrphansError means that Jobs and Pods which a dead run left behind have not
// ended within the time limit.
type OrphansError struct {
	Objects []object.Ref
	States  []health.Status
	Timeout time.Duration
}

// Error names each of them.
func (e *OrphansError) Error() string {
	var parts []string
	for i, ref := range e.Objects {
		text := ref.String()
		if m := e.States[i].Message; m != "" {
			text += " (" + m + ")"
		}
		parts = append(parts, text)
	}
	return fmt.Sprintf("hooks of an earlier run have not ended within %s: %s; to stop them, use --stop-orphans", e.Timeout, strings.Join(parts, ", "))
}

// orphans sees Jobs and Pods of dead runs to their end, so that nothing of
// ours runs beside them, and keeps what they and others did that had ended
// unseen. One that cannot run, or not any more, is stopped.
func (w *walk) orphans(ctx, soft context.Context, stepID string, a plan.Await) outcome {
	e := w.engine
	limited, cancel := withLimit(soft, a.Timeout)
	defer cancel()
	kept := w.newRemains(ctx, a.Remains)
	defer kept.close()
	seen, err := e.cluster.Watch(limited, orphanTargets(a))
	if err != nil && len(a.Objects) == 0 {
		e.noticeRemains(err)
		return outcome{Outcome: event.Unchanged, note: "not known"}
	}
	if err != nil {
		return outcome{err: err}
	}
	o := &orphanage{engine: e, stepID: stepID, refs: a.Subjects(), awaited: object.NewSet(a.Objects...), kept: kept, stopAll: a.Stop,
		jobs: map[object.Key]*unstructured.Unstructured{}, pods: map[object.Key]*unstructured.Unstructured{},
		states: map[object.Key]health.Status{}, patience: newPatience(e), stopped: map[object.Key]bool{}}
	err = o.watch(limited, seen)
	note := kept.store(ctx)
	left := o.left(a.Timeout)
	switch {
	case err != nil:
		return outcome{err: err}
	case left == nil:
		return outcome{note: note}
	case soft.Err() != nil:
		return outcome{err: fmt.Errorf("%w: %w", ErrInterrupted, left)}
	default:
		return outcome{err: left}
	}
}

// orphanTargets are what is watched for all subjects of the step.
func orphanTargets(a plan.Await) []object.Target {
	var all []object.Target
	for _, ref := range a.Subjects() {
		all = append(all, targets(ref)...)
	}
	return all
}

// orphanage is what is known of the orphans of one step.
type orphanage struct {
	engine *Engine
	stepID string
	refs   []object.Ref
	// awaited are those whose end is waited for; the others are only looked at.
	awaited *object.Set
	// kept takes in what is seen, for the ledger.
	kept *remains
	// stopAll asks for them to be stopped; looks counts how often they were
	// looked at.
	stopAll bool
	looks   int
	// jobs holds the orphans themselves, Jobs or Pods; pods those of Jobs.
	jobs, pods map[object.Key]*unstructured.Unstructured
	states     map[object.Key]health.Status
	patience   *patience
	stopped    map[object.Key]bool
}

// watch takes observations in until all have ended or ctx has.
func (o *orphanage) watch(ctx context.Context, seen <-chan object.Observation) error {
	// What was there comes first; until then nothing is known to have ended.
	for _, ref := range o.refs {
		o.states[ref.Key()] = health.Status{State: health.InProgress, Message: "not seen yet"}
	}
	const settle, look = 100 * time.Millisecond, time.Second
	// The present state comes as a burst, in any order: it is judged as a whole.
	timer := time.NewTimer(settle)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case obs, ok := <-seen:
			if !ok {
				return nil
			}
			o.note(obs)
			timer.Reset(settle)
		case <-timer.C:
			if o.judge() {
				return nil
			}
			if err := o.intervene(ctx); err != nil {
				return err
			}
			timer.Reset(look)
		}
	}
}

func (o *orphanage) note(obs object.Observation) {
	key := obs.Ref.Key()
	o.kept.note(obs)
	for _, ref := range o.refs {
		if ref.Key() == key {
			o.jobs[key] = obs.Object
			if obs.Gone {
				o.jobs[key] = nil
			}
			return
		}
	}
	if o.pods[key] = obs.Object; obs.Gone || obs.Object == nil {
		delete(o.pods, key)
	}
}

// judge brings the states up to date and tells that nothing is at work.
func (o *orphanage) judge() bool {
	all := true
	for _, ref := range o.refs {
		job, known := o.jobs[ref.Key()]
		if !known {
			all = false
			continue
		}
		status := health.Status{State: health.Ready, Message: "it is gone"}
		active := o.active(ref)
		switch {
		case len(active) > 0:
			status = health.Status{State: health.InProgress, Reason: "Running", Message: "an earlier run left it behind; still running in " + active[0].GetName()}
		case job != nil && AtWork(job):
			status = health.Completion(job)
		case job != nil:
			status = health.Status{State: health.Ready, Message: "it has ended"}
		}
		if !o.awaited.Has(ref.Key()) && status.State != health.Ready {
			continue // it is left alone
		}
		if o.states[ref.Key()] != status {
			o.states[ref.Key()] = status
			o.engine.sink(event.ObjectObserved{StepID: o.stepID, Object: ref, Status: status, Time: o.engine.now()})
		}
		all = all && status.State == health.Ready
	}
	return all
}

// active are the pods of a Job that have not ended.
func (o *orphanage) active(ref object.Ref) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, pod := range o.pods {
		if pod.GetNamespace() == ref.Namespace && pod.GetLabels()["batch.kubernetes.io/job-name"] == ref.Name && !podEnded(pod) {
			out = append(out, pod)
		}
	}
	return out
}

// intervene stops what is to be stopped: all, as the user wishes, or what
// cannot come to an end. What is to be kept of them is read first: it goes with their pods.
func (o *orphanage) intervene(ctx context.Context) error {
	if o.looks++; !o.stopAll {
		return o.giveUp(ctx)
	}
	if o.looks == 1 && len(o.kept.list) > 0 {
		return nil
	}
	for _, ref := range o.awaited.Refs() {
		if err := o.stop(ctx, ref); err != nil {
			return err
		}
	}
	return nil
}

// giveUp stops those that cannot run: they would be waited for in vain.
func (o *orphanage) giveUp(ctx context.Context) error {
	for _, ref := range o.awaited.Refs() {
		pods := o.active(ref)
		if job := o.jobs[ref.Key()]; job != nil && ref.Is("", "Pod") && AtWork(job) {
			pods = append(pods, job)
		}
		for _, pod := range pods {
			uid := string(pod.GetUID())
			trouble, ok := health.PodTrouble(pod)
			if !ok {
				o.patience.well(uid, pod)
				continue
			}
			if o.patience.spent(uid, pod, trouble) {
				if err := o.stop(ctx, ref); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// stop ends one orphan: a Job is suspended and stays as evidence, a Pod is deleted.
func (o *orphanage) stop(ctx context.Context, ref object.Ref) error {
	if o.stopped[ref.Key()] {
		return nil
	}
	o.stopped[ref.Key()] = true
	o.kept.keepSight(ref)
	var err error
	if ref.Is("", "Pod") {
		_, err = o.engine.remove(ctx, ref, "", metav1.DeletePropagationBackground, false, 0)
	} else {
		err = o.engine.suspend(ctx, ref, "")
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("stopping %s, which an earlier run left behind: %w", ref, err)
	}
	o.kept.stops(ref)
	return nil
}

// left are those that have not ended; nil when all have.
func (o *orphanage) left(limit time.Duration) error {
	e := &OrphansError{Timeout: limit}
	for _, ref := range o.awaited.Refs() {
		if s := o.states[ref.Key()]; s.State != health.Ready {
			e.Objects, e.States = append(e.Objects, ref), append(e.States, s)
		}
	}
	if len(e.Objects) == 0 {
		return nil
	}
	return e
}

// suspend stops a Job, if it is still the one with that UID (an empty UID
// takes any): its pods end, and it stays as evidence.
func (e *Engine) suspend(ctx context.Context, ref object.Ref, uid string) error {
	meta := map[string]any{"name": ref.Name, "namespace": ref.Namespace}
	if uid != "" {
		meta["uid"] = uid
	}
	suspended := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": ref.APIVersion(), "kind": ref.Kind, "metadata": meta, "spec": map[string]any{"suspend": true},
	}}
	force := true
	_, err := e.cluster.Apply(ctx, suspended, metav1.PatchOptions{FieldManager: stopManager, Force: &force})
	return err
}
