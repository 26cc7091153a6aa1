package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestValueAt(t *testing.T) {
	value := map[string]any{"spec": map[string]any{
		"replicas": int64(3),
		"ports":    []any{map[string]any{"port": int64(80), "protocol": "TCP", "name": "http"}},
		"containers": []any{
			map[string]any{"name": "a", "image": "x"},
			map[string]any{"name": "b", "image": "y"},
		},
	}}
	for path, want := range map[string]string{
		".spec.replicas":                           "3",
		`.spec.containers[name="b"].image`:         `"y"`,
		`.spec.ports[port=80,protocol="TCP"].name`: `"http"`,
		`.spec.containers[name="c"].image`:         "nothing",
		".spec.missing.deeper":                     "nothing",
		`.spec.containers[name="unclosed`:          "nothing",
	} {
		if got := valueAt(value, path); got != want {
			t.Errorf("valueAt(%s) = %s, want %s", path, got, want)
		}
	}
}

func TestFieldConflicts(t *testing.T) {
	err := &object.RequestError{Verb: "patch", Err: apierrors.NewApplyConflict([]metav1.StatusCause{{
		Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.replicas", Message: `conflict with "kubectl-edit" using apps/v1`,
	}}, "conflict")}
	got := fieldConflicts(err)
	if diff := cmp.Diff([]FieldConflict{{Field: ".spec.replicas", Owner: "kubectl-edit"}}, got); diff != "" {
		t.Error(diff)
	}
	got[0].Live, got[0].Wanted = "3", "1"
	text := (&ConflictError{Ref: object.Ref{Kind: "Deployment", Namespace: "n", Name: "web"}, Fields: got}).Error()
	for _, part := range []string{"Deployment/n/web", ".spec.replicas is 3", "kubectl-edit", "(helm) wants 1", "--force-conflicts"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	if fieldConflicts(errors.New("other")) != nil {
		t.Error("any error counts as a conflict")
	}
}
