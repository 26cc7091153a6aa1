package plan

import (
	"encoding/json"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// identified is what an object says beside what identifies it, which nobody owns.
func identified(obj *unstructured.Unstructured) map[string]any {
	out := make(map[string]any, len(obj.Object))
	for k, v := range obj.Object {
		switch k {
		case "apiVersion", "kind":
		case "metadata":
			meta := map[string]any{}
			for name, value := range fieldsOf(v) {
				if name != "name" && name != "namespace" {
					meta[name] = value
				}
			}
			out[k] = meta
		default:
			out[k] = v
		}
	}
	return out
}

// owns tells that everything that wanted says is among the owned fields. A
// field that another manager has taken over is not, even where it has our value
// again: it would stay behind when the chart drops it. Fields without fields
// below them are owned as a whole.
func owns(fields map[string]any, wanted any) bool {
	switch w := wanted.(type) {
	case map[string]any:
		for k, v := range w {
			if v != nil && !ownsField(fields, "f:"+k, v) {
				return false
			}
		}
	case []any:
		for _, item := range w {
			if !ownsItem(fields, item) {
				return false
			}
		}
	}
	return true
}

func ownsField(fields map[string]any, key string, value any) bool {
	below, owned := fields[key].(map[string]any)
	if !owned {
		return empty(value) // of what is empty, nothing can be owned
	}
	return len(below) == 0 || owns(below, value)
}

func empty(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for _, below := range v {
			if !empty(below) {
				return false
			}
		}
		return true
	case []any:
		return len(v) == 0
	}
	return value == nil
}

// ownsItem finds the item of a list among the owned ones, by its keys or by
// its value.
func ownsItem(fields map[string]any, item any) bool {
	for key, sub := range fields {
		var want any
		if len(key) < 2 || json.Unmarshal([]byte(key[2:]), &want) != nil {
			continue
		}
		switch m := fieldsOf(item); {
		case strings.HasPrefix(key, "v:") && sameScalar(item, want):
			return true
		case strings.HasPrefix(key, "k:") && m != nil && matchesKeys(m, fieldsOf(want)):
			below, _ := sub.(map[string]any)
			return len(below) == 0 || owns(below, item)
		}
	}
	return false
}
