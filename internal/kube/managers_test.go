package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func managed(version string, entries ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "a", "namespace": "ns", "resourceVersion": version, "managedFields": entries},
	}}
}

func entry(manager, operation, subresource, fields string) any {
	return map[string]any{
		"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
		"subresource": subresource, "fieldsV1": map[string]any{"f:data": map[string]any{"f:" + fields: map[string]any{}}},
	}
}

func TestMigrateManagersAsksForNothingWhereNothingIsToDo(t *testing.T) {
	w := &wire{handle: func(http.ResponseWriter, *http.Request) { t.Error("a request") }}
	for _, live := range []*unstructured.Unstructured{
		managed("1"),
		managed("1", entry("helm", "Apply", "", "x")),
		managed("1", entry("helm", "Apply", "", "x"), entry("kubectl-edit", "Update", "", "y"), entry("helm", "Update", "status", "z")),
	} {
		if err := w.client(Options{}).MigrateManagers(t.Context(), live); err != nil {
			t.Error(err)
		}
	}
}

func TestMigrateManagersGoesOnAfterAConflict(t *testing.T) {
	var patches []string
	w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
		switch {
		case discovery(w, r):
		case r.Method == http.MethodGet:
			reply(w, managed("2", entry("helm", "Update", "", "x"), entry("kubectl-client-side-apply", "Update", "", "y")).Object)
		default:
			body, _ := io.ReadAll(r.Body)
			patches = append(patches, string(body))
			if len(patches) == 1 {
				refuse(w, 409, metav1.StatusReasonConflict, "modified")
				return
			}
			ok(w)
		}
	}}
	live := managed("1", entry("helm", "Update", "", "x"))
	if err := w.client(Options{}).MigrateManagers(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	if len(patches) != 2 || !strings.Contains(patches[0], `"value":"1"`) || !strings.Contains(patches[1], `"value":"2"`) {
		t.Fatalf("patches %q", patches)
	}
	if p := patches[1]; strings.Contains(p, `"Update"`) || !strings.Contains(p, `"f:x"`) || !strings.Contains(p, `"f:y"`) {
		t.Errorf("the entries were not joined: %s", p)
	}
	if live.GetManagedFields()[0].Operation != metav1.ManagedFieldsOperationUpdate {
		t.Error("the object that was passed in has changed")
	}
}
