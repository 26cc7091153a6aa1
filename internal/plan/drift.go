package plan

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FieldManager is the name under which Helm 4 and Pintle apply.
const FieldManager = "helm"

// UpToDate tells that an apply of wanted would change nothing in live: all
// that wanted says is in live and owned by our field manager, and all that it
// owns in live is in wanted. It goes by the live object alone, so it also sees drift. When it
// cannot tell it answers false, and the apply decides.
func UpToDate(wanted, live *unstructured.Unstructured) bool {
	if wanted.GetAPIVersion() != live.GetAPIVersion() || live.GetDeletionTimestamp() != nil {
		return false
	}
	owned, ok := ownedFields(live)
	return ok && ownedWithin(owned, wanted.Object) && owns(owned, identified(wanted)) && asHeld(wanted).holds(live.Object, wanted.Object)
}

// Holds tells that live has everything that wanted says: that it may well be
// what an earlier create of wanted made.
func Holds(live, wanted *unstructured.Unstructured) bool {
	return holder{}.holds(live.Object, asStored(wanted).Object)
}

// asStored is a Secret as the API server keeps it: stringData can be written,
// but what is read back is data.
func asStored(obj *unstructured.Unstructured) *unstructured.Unstructured {
	plain, found, _ := unstructured.NestedMap(obj.Object, "stringData")
	if !found || obj.GetKind() != "Secret" || obj.GetAPIVersion() != "v1" {
		return obj
	}
	stored := obj.DeepCopy()
	delete(stored.Object, "stringData")
	for key, value := range plain {
		if text, ok := value.(string); ok {
			_ = unstructured.SetNestedField(stored.Object, base64.StdEncoding.EncodeToString([]byte(text)), "data", key)
		}
	}
	return stored
}

// ownedFields are what our own applies own, in the form of managedFields. It
// is not ok when there is no such entry, or when an earlier client-side apply
// has left another one of ours that needs to be migrated.
func ownedFields(live *unstructured.Unstructured) (map[string]any, bool) {
	var fields map[string]any
	for _, m := range live.GetManagedFields() {
		if m.Manager != FieldManager || m.Subresource != "" {
			continue
		}
		if m.Operation != metav1.ManagedFieldsOperationApply || m.APIVersion != live.GetAPIVersion() || m.FieldsV1 == nil {
			return nil, false
		}
		if json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) != nil {
			return nil, false
		}
	}
	return fields, fields != nil
}

// holds tells that live has everything that wanted says. Lists must be of one
// length: what others have added to ours needs the API server's judgement.
func (h holder) holds(live, wanted any) bool {
	switch w := wanted.(type) {
	case nil:
		return live == nil
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return len(w) == 0 && live == nil
		}
		for k, v := range w {
			if !h.holds(l[k], v) && !(h.quantities && k == "resources" && holdsResources(l[k], v)) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(w) {
			return len(w) == 0 && live == nil
		}
		for i := range w {
			if !h.holds(l[i], w[i]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(live, wanted)
	}
}

// ownedWithin tells that every owned field is in wanted. The keys of fields
// are those of FieldsV1: "f:name" for a field, "k:{...}" for the item of a
// list with those key fields, "v:value" for an item of a set, "." for the
// thing itself.
func ownedWithin(fields map[string]any, wanted any) bool {
	for key, sub := range fields {
		if key == "." {
			continue
		}
		child, ok := step(key, wanted)
		if !ok {
			return false
		}
		if deeper, _ := sub.(map[string]any); len(deeper) > 0 && !ownedWithin(deeper, child) {
			return false
		}
	}
	return true
}

// step follows one key of FieldsV1 into a value.
func step(key string, value any) (any, bool) {
	switch {
	case strings.HasPrefix(key, "f:"):
		m, _ := value.(map[string]any)
		child, ok := m[key[2:]]
		return child, ok
	case strings.HasPrefix(key, "k:"):
		return itemByKeys(key[2:], value)
	case strings.HasPrefix(key, "v:"):
		return itemByValue(key[2:], value)
	default:
		return nil, false
	}
}

// itemByKeys finds the list item whose fields are those of the JSON object. A
// key field that the item leaves out does not count against it, since the API
// server fills in defaults such as a port's protocol.
func itemByKeys(keys string, value any) (any, bool) {
	var want map[string]any
	if json.Unmarshal([]byte(keys), &want) != nil {
		return nil, false
	}
	items, _ := value.([]any)
	for _, item := range items {
		m, ok := item.(map[string]any)
		if ok && matchesKeys(m, want) {
			return item, true
		}
	}
	return nil, false
}

func matchesKeys(item, want map[string]any) bool {
	matched := false
	for k, v := range want {
		have, ok := item[k]
		if !ok {
			continue
		}
		if !sameScalar(have, v) {
			return false
		}
		matched = true
	}
	return matched
}

func itemByValue(raw string, value any) (any, bool) {
	var want any
	if json.Unmarshal([]byte(raw), &want) != nil {
		return nil, false
	}
	items, _ := value.([]any)
	for _, item := range items {
		if sameScalar(item, want) {
			return item, true
		}
	}
	return nil, false
}

// sameScalar compares across the number types of the two JSON decoders in use.
func sameScalar(a, b any) bool {
	if n, ok := a.(int64); ok {
		a = float64(n)
	}
	if n, ok := b.(int64); ok {
		b = float64(n)
	}
	return reflect.DeepEqual(a, b)
}
