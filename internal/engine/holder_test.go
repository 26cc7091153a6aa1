package engine

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestHolderOf(t *testing.T) {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetManagedFields([]metav1.ManagedFieldsEntry{
		{Manager: "helm", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{}}`)},
		{Manager: "operator", FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:finalizers":{".":{},"v:\"example.com/guard\"":{}}}}`)},
	})
	if got := holderOf(u, "example.com/guard"); got != "operator" {
		t.Errorf("the holder is %q", got)
	}
	if got := holderOf(u, "example.com/other"); got != "" {
		t.Errorf("the holder of a finalizer that nobody set is %q", got)
	}
}
