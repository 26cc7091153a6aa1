package engine

import (
	"context"
	"encoding/json"
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
	"k8s.io/apimachinery/pkg/types"
)

func (e *Engine) createNamespace(ctx context.Context, a plan.CreateNamespace) outcome {
	ns := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		// Helm labels the namespaces that it makes like this.
		"metadata": map[string]any{"name": a.Name, "labels": map[string]any{"name": a.Name}},
	}}
	_, err := e.cluster.Create(ctx, ns, metav1.CreateOptions{FieldManager: plan.FieldManager})
	if apierrors.IsAlreadyExists(err) {
		return outcome{Outcome: event.Unchanged, note: "exists"}
	}
	return outcome{err: err, note: "created"}
}

func (e *Engine) apply(ctx context.Context, a plan.Apply) outcome {
	if a.Change == plan.Unchanged {
		return outcome{Outcome: event.Unchanged}
	}
	if a.Live != nil {
		if err := e.cluster.MigrateManagers(ctx, a.Live); err != nil {
			return outcome{err: err}
		}
	}
	stored, note, err := e.applyResolving(ctx, a)
	if err != nil {
		return outcome{err: err, causes: []health.Cause{refusalCause(err)}}
	}
	ref := object.RefOf(stored)
	switch {
	case a.Live == nil:
		return outcome{note: "created", created: &ref}
	case stored.GetResourceVersion() == a.Live.GetResourceVersion():
		return outcome{Outcome: event.Unchanged}
	case note != "":
		return outcome{note: "updated, " + note}
	}
	return outcome{note: "updated"}
}

func applyOptions(force, strict bool) metav1.PatchOptions {
	opts := metav1.PatchOptions{FieldManager: plan.FieldManager, Force: &force}
	opts.FieldValidation = validation(strict)
	return opts
}

func validation(strict bool) string {
	if strict {
		return metav1.FieldValidationStrict
	}
	return metav1.FieldValidationIgnore
}

func (e *Engine) delete(ctx context.Context, a plan.Delete) outcome {
	gone, err := e.remove(ctx, a.Ref, a.UID, a.Propagation, a.Await, a.Timeout)
	if err != nil {
		return outcome{err: err}
	}
	if gone {
		return outcome{Outcome: event.Unchanged, note: "already gone"}
	}
	return outcome{note: "deleted"}
}

// remove deletes one object, if it is still the one with that UID (an empty
// UID takes any), and awaits its end if asked. It reports whether the object
// was gone already.
func (e *Engine) remove(ctx context.Context, ref object.Ref, uid string, how metav1.DeletionPropagation, await bool, limit time.Duration) (gone bool, err error) {
	opts := metav1.DeleteOptions{PropagationPolicy: &how}
	if uid != "" {
		id := types.UID(uid)
		opts.Preconditions = &metav1.Preconditions{UID: &id}
	}
	err = e.cluster.Delete(ctx, ref, opts)
	switch {
	case apierrors.IsNotFound(err), uid != "" && apierrors.IsConflict(err):
		return true, nil
	case err != nil:
		return false, err
	case !await:
		return false, nil
	}
	return false, e.awaitGone(ctx, ref, uid, limit)
}

// awaitGone waits until the object is there no more, or is another one.
func (e *Engine) awaitGone(ctx context.Context, ref object.Ref, uid string, limit time.Duration) error {
	// Most objects are gone as soon as the deletion was answered: one request
	// finds out, where a watch costs two.
	live, err := e.cluster.Get(ctx, ref)
	if apierrors.IsNotFound(err) || err == nil && uid != "" && string(live.GetUID()) != uid {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := withLimit(ctx, limit)
	defer cancel()
	seen, err := e.cluster.Watch(ctx, []object.Target{object.TargetOf(ref)})
	if err != nil {
		return err
	}
	for o := range seen {
		if o.Gone || uid != "" && string(o.Object.GetUID()) != uid {
			return nil
		}
		live = o.Object
	}
	return e.stillThere(ctx, ref, live)
}

// stillThere says what keeps a deleted object: its finalizers, and who set them.
func (e *Engine) stillThere(ctx context.Context, ref object.Ref, live *unstructured.Unstructured) error {
	cause := context.Cause(ctx)
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.opts.DrainGrace)
	defer cancel()
	if again, err := e.cluster.Get(late, ref); err == nil {
		live = again // a watch shows no managers
	}
	var held []string
	for _, f := range live.GetFinalizers() {
		if holder := holderOf(live, f); holder != "" {
			f += " (set by " + holder + ")"
		}
		held = append(held, f)
	}
	if len(held) > 0 {
		return fmt.Errorf("%s was deleted but does not go: %w; it waits for the finalizer %s", ref, cause, strings.Join(held, ", "))
	}
	return fmt.Errorf("%s was deleted but is still there: %w", ref, cause)
}

// holderOf is the field manager that put a finalizer on the object, empty
// where that is not recorded.
func holderOf(live *unstructured.Unstructured, finalizer string) string {
	for _, m := range live.GetManagedFields() {
		if m.FieldsV1 == nil {
			continue
		}
		var fields map[string]map[string]map[string]any
		if json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		if _, owns := fields["f:metadata"]["f:finalizers"]["v:\""+finalizer+"\""]; owns {
			return m.Manager
		}
	}
	return ""
}

// withLimit adds a time limit; 0 means none.
func withLimit(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("the time limit of %s has passed", limit))
}
