package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ConflictError is an apply that the API server refused because another field
// manager owns fields with other values.
type ConflictError struct {
	Ref    object.Ref
	Fields []FieldConflict
	Err    error
}

// FieldConflict is one field that two managers want differently.
type FieldConflict struct {
	// Field is the path as the API server writes it, such as ".spec.replicas".
	Field string
	// Owner is the manager that owns the field now.
	Owner        string
	Live, Wanted string
}

// Error names each field with both values and both owners.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s: field conflict: %s; to take the fields over, use --force-conflicts", e.Ref, e.fields())
}

func (e *ConflictError) fields() string {
	var parts []string
	for _, f := range e.Fields {
		parts = append(parts, fmt.Sprintf("%s is %s, owned by %s; the chart (%s) wants %s", f.Field, f.Live, f.Owner, plan.FieldManager, f.Wanted))
	}
	return strings.Join(parts, "; ")
}

// refusalCause explains an apply that the API server refused.
func refusalCause(err error) health.Cause {
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return health.Cause{Subject: conflict.Ref.String(), Reason: "Conflict", Message: conflict.fields(), Advice: "to take the fields over, use --force-conflicts"}
	}
	return health.ExplainRefusal("", err)
}

// Unwrap gives the API server's error.
func (e *ConflictError) Unwrap() error { return e.Err }

// applyResolving applies an object. A field that an autoscaler owns is left
// to it; any other conflict comes back with the values of both sides.
func (e *Engine) applyResolving(ctx context.Context, a plan.Apply) (stored *unstructured.Unstructured, note string, err error) {
	stored, err = e.cluster.Apply(ctx, a.Object, applyOptions(a.Force, a.Strict))
	conflicts := fieldConflicts(err)
	if len(conflicts) == 0 {
		return stored, "", err
	}
	live, getErr := e.cluster.Get(ctx, object.RefOf(a.Object))
	if getErr != nil {
		return nil, "", err
	}
	if onlyReplicas(conflicts) && scaledByController(live) {
		wanted := a.Object.DeepCopy()
		unstructured.RemoveNestedField(wanted.Object, "spec", "replicas")
		stored, err = e.cluster.Apply(ctx, wanted, applyOptions(a.Force, a.Strict))
		return stored, "replicas left to the autoscaler", err
	}
	for i := range conflicts {
		conflicts[i].Live = valueAt(live.Object, conflicts[i].Field)
		conflicts[i].Wanted = valueAt(a.Object.Object, conflicts[i].Field)
	}
	return nil, "", &ConflictError{Ref: object.RefOf(a.Object), Fields: conflicts, Err: err}
}

// fieldConflicts reads what the API server says about managers, empty for any
// other error.
func fieldConflicts(err error) []FieldConflict {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var out []FieldConflict
	for _, c := range status.Status().Details.Causes {
		if c.Type == metav1.CauseTypeFieldManagerConflict {
			out = append(out, FieldConflict{Field: c.Field, Owner: ownerIn(c.Message)})
		}
	}
	return out
}

// ownerIn takes the manager's name out of `conflict with "NAME" using v1`.
func ownerIn(message string) string {
	rest := strings.TrimPrefix(message, "conflict with ")
	name, _, _ := strings.Cut(rest, " using ")
	return strings.Trim(name, `"`)
}

func onlyReplicas(conflicts []FieldConflict) bool {
	for _, c := range conflicts {
		if c.Field != ".spec.replicas" {
			return false
		}
	}
	return true
}

// scaledByController tells that the replicas were set through the scale
// subresource by a controller, as the HorizontalPodAutoscaler does.
func scaledByController(live *unstructured.Unstructured) bool {
	for _, m := range live.GetManagedFields() {
		if m.Subresource != "scale" || m.FieldsV1 == nil || strings.HasPrefix(m.Manager, "kubectl") {
			continue
		}
		var fields map[string]map[string]any
		if json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) == nil {
			if _, owns := fields["f:spec"]["f:replicas"]; owns {
				return true
			}
		}
	}
	return false
}

// valueAt reads the value at a path such as `.spec.containers[name="a"].image`
// as JSON, for messages; "nothing" where there is none.
func valueAt(value any, path string) string {
	for _, part := range fieldSteps(path) {
		value = child(value, part)
	}
	if value == nil {
		return "nothing"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "unreadable"
	}
	return string(text)
}

// fieldSteps splits a path into ".field" and "[key]" steps.
func fieldSteps(path string) []string {
	var steps []string
	for path != "" {
		end := strings.IndexAny(path[1:], ".[")
		if path[0] == '[' {
			if end = strings.IndexByte(path, ']'); end < 0 {
				return append(steps, path)
			}
		}
		if end < 0 {
			return append(steps, path)
		}
		steps = append(steps, path[:end+1])
		path = path[end+1:]
	}
	return steps
}

// child takes one step into a value.
func child(value any, step string) any {
	if name, ok := strings.CutPrefix(step, "."); ok {
		m, _ := value.(map[string]any)
		return m[name]
	}
	items, _ := value.([]any)
	keys := strings.Split(strings.Trim(step, "[]"), ",")
	for _, item := range items {
		if m, ok := item.(map[string]any); ok && hasKeys(m, keys) {
			return item
		}
	}
	return nil
}

func hasKeys(item map[string]any, keys []string) bool {
	for _, k := range keys {
		name, want, ok := strings.Cut(k, "=")
		if !ok || fmt.Sprint(item[name]) != strings.Trim(want, `"`) {
			return false
		}
	}
	return true
}
