package plan

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// holder compares what is wanted with what is live.
type holder struct {
	// quantities tells that limits and requests below "resources" are quantities,
	// which the API server writes in its own way: 1000m comes back as 1.
	quantities bool
}

// asHeld is how the API server keeps an object of that kind. Of custom
// resources we do not know what it takes for a quantity.
func asHeld(obj *unstructured.Unstructured) holder {
	switch obj.GroupVersionKind().Group {
	case "", "apps", "batch":
		return holder{quantities: true}
	}
	return holder{}
}

// holdsResources compares the resources of a container or a claim.
func holdsResources(live, wanted any) bool {
	l, w := fieldsOf(live), fieldsOf(wanted)
	for name, want := range w {
		if name != "limits" && name != "requests" {
			if !(holder{}).holds(l[name], want) {
				return false
			}
			continue
		}
		amounts := fieldsOf(l[name])
		for of, amount := range fieldsOf(want) {
			if !sameQuantity(amounts[of], amount) {
				return false
			}
		}
	}
	return l != nil && w != nil
}

func fieldsOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// sameQuantity compares two quantities, written as text or as plain numbers.
func sameQuantity(a, b any) bool {
	first, ok := quantity(a)
	second, alsoOK := quantity(b)
	return ok && alsoOK && first.Cmp(second) == 0
}

func quantity(v any) (resource.Quantity, bool) {
	switch v.(type) {
	case string, int64, float64:
		q, err := resource.ParseQuantity(fmt.Sprint(v))
		return q, err == nil
	}
	return resource.Quantity{}, false
}
