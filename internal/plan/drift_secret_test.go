package plan_test

import (
	"testing"

	"github.com/pintle-dev/pintle/internal/plan"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestHoldsReadsStringData: what is written as stringData is read back as data.
func TestHoldsReadsStringData(t *testing.T) {
	secret := func(field string, values map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "key"}, field: values,
		}}
	}
	live := secret("data", map[string]any{"key": "dmFsdWU=", "more": "eA=="})
	if !plan.Holds(live, secret("stringData", map[string]any{"key": "value"})) {
		t.Error("the same value is not seen")
	}
	if plan.Holds(live, secret("stringData", map[string]any{"key": "other"})) {
		t.Error("another value is taken for the same")
	}
}
