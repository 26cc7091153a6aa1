package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// place brings the hook's object into the cluster and notes its UID. What is
// to run is created, never applied: an apply onto a finished leftover would
// succeed without running anything.
func (h *hookRun) place(ctx context.Context) error {
	if h.action.InPlace {
		return h.update(ctx)
	}
	if h.join(ctx) {
		return nil
	}
	err := h.create(ctx)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	leftover, getErr := h.engine.cluster.Get(ctx, h.run.Object)
	if getErr != nil && !apierrors.IsNotFound(getErr) {
		return getErr
	}
	if getErr == nil {
		if !h.action.Replace && !h.isOurs(ctx, leftover) {
			return fmt.Errorf("%s exists and is not known to come from this hook; delete it, or write the delete policy before-hook-creation: %w", h.run.Object, err)
		}
		if err := h.removeLeftover(ctx, leftover); err != nil {
			return err
		}
	}
	return h.create(ctx)
}

// create makes the object. What runs is marked, so that it is known for ours
// also when the answer gets lost and webhooks have changed it.
func (h *hookRun) create(ctx context.Context) error {
	obj := h.action.Object
	if Ends(h.run.Object) {
		obj = object.WithRunMark(obj, h.run.Mark().String())
	}
	made, err := h.engine.cluster.Create(ctx, obj, metav1.CreateOptions{
		FieldManager: plan.FieldManager, FieldValidation: validation(h.action.Strict),
	})
	if err != nil {
		return err
	}
	h.made(made)
	return nil
}

func (h *hookRun) made(stored *unstructured.Unstructured) {
	h.run.UID = string(stored.GetUID())
	h.run.Object = object.RefOf(stored)
	if j := h.engine.opts.Journal; j != nil {
		j.Made(h.step, h.run)
	}
}

// update applies the object in place; where a field cannot be changed the
// object is made anew, except for a PVC, whose data would be lost.
func (h *hookRun) update(ctx context.Context) error {
	stored, err := h.engine.cluster.Apply(ctx, h.action.Object, applyOptions(true, h.action.Strict))
	if err == nil {
		h.made(stored)
		return nil
	}
	if !apierrors.IsInvalid(err) || h.run.Object.Is("", "PersistentVolumeClaim") {
		return err
	}
	live, getErr := h.engine.cluster.Get(ctx, h.run.Object)
	if getErr != nil {
		return err // nothing is there: it was the object itself that was refused
	}
	if err := h.removeLeftover(ctx, live); err != nil {
		return err
	}
	return h.create(ctx)
}

// isOurs tells that a leftover is what a hook of this release has created: its
// content holds all that a recorded manifest says, or the ledger knows its UID.
func (h *hookRun) isOurs(ctx context.Context, leftover *unstructured.Unstructured) bool {
	for _, known := range append(h.action.Known, h.action.Object) {
		if plan.Holds(leftover, known) {
			return true
		}
	}
	if h.engine.opts.Ledger == nil {
		return false
	}
	// A ledger that cannot be read knows nothing, and what is not known to be ours is not touched.
	known, err := h.engine.opts.Ledger.Knows(ctx, h.run.Release, string(leftover.GetUID()))
	return err == nil && known
}

// removeLeftover deletes and awaits the end. An unfinished Job goes together
// with its pods, so that no old migration runs beside the new one.
func (h *hookRun) removeLeftover(ctx context.Context, leftover *unstructured.Unstructured) error {
	how := metav1.DeletePropagationBackground
	if health.Completion(leftover).State == health.InProgress {
		how = metav1.DeletePropagationForeground
	}
	if _, err := h.engine.remove(ctx, h.run.Object, string(leftover.GetUID()), how, true, h.action.Timeout); err != nil {
		return fmt.Errorf("removing what an earlier run left behind: %w", err)
	}
	return nil
}

// stop ends a hook that is to run no longer, and awaits its end, so that
// nothing runs beside what follows. A Job is suspended, which ends its pods
// and keeps the Job as evidence; a Pod can only be deleted.
func (h *hookRun) stop(ctx context.Context, m *monitor, seen <-chan object.Observation) error {
	ctx, cancel := context.WithTimeout(ctx, max(h.engine.opts.StopGrace, time.Second))
	defer cancel()
	ref := h.run.Object
	if ref.Is("", "Pod") {
		_, err := h.engine.remove(ctx, ref, h.run.UID, metav1.DeletePropagationBackground, true, 0)
		return err
	}
	err := h.engine.suspend(ctx, ref, h.run.UID)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // gone, or another one of that name
	}
	if err != nil {
		return err
	}
	return m.awaitPodsEnd(ctx, seen)
}

// stopManager owns the one field that stops a hook's Job, so that it never
// becomes part of what our applies own.
const stopManager = "pintle-stop"
