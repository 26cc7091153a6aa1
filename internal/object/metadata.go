package object

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Annotations are those of an object as its manifest writes them. Unlike
// GetAnnotations, which gives none at all as soon as one of them is not text, it takes
// an empty value for empty text, and numbers and booleans for how they are
// spelt: charts forget quotes.
func Annotations(obj *unstructured.Unstructured) map[string]string {
	return texts(metadataMap(obj, "annotations"))
}

// Labels are those of an object, read as Annotations reads.
func Labels(obj *unstructured.Unstructured) map[string]string {
	return texts(metadataMap(obj, "labels"))
}

// Unquoted gives the annotations and labels whose value is neither text nor
// empty: the API server refuses such an object.
func Unquoted(obj *unstructured.Unstructured) (annotations, labels []string) {
	unquoted := func(m map[string]any) (keys []string) {
		for key, value := range m {
			if _, text := value.(string); !text && value != nil {
				keys = append(keys, key)
			}
		}
		return keys
	}
	return unquoted(metadataMap(obj, "annotations")), unquoted(metadataMap(obj, "labels"))
}

// metadataMap is one of the maps in an object's metadata, nil where it is not a mapping.
func metadataMap(obj *unstructured.Unstructured, field string) map[string]any {
	meta, _ := obj.Object["metadata"].(map[string]any)
	m, _ := meta[field].(map[string]any)
	return m
}

// setMetadata sets entries in one of the maps of an object's metadata, makes
// it where there is none, and turns its empty values into empty text, as the
// API server does.
func setMetadata(obj *unstructured.Unstructured, field string, set map[string]string) {
	meta, ok := obj.Object["metadata"].(map[string]any)
	if !ok {
		meta = map[string]any{}
		obj.Object["metadata"] = meta
	}
	m, ok := meta[field].(map[string]any)
	if !ok {
		m = map[string]any{}
		meta[field] = m
	}
	for key, value := range m {
		if value == nil {
			m[key] = ""
		}
	}
	for key, value := range set {
		m[key] = value
	}
}

func texts(m map[string]any) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for key, value := range m {
		switch v := value.(type) {
		case string:
			out[key] = v
		case nil:
			out[key] = ""
		case float64:
			out[key] = strconv.FormatFloat(v, 'g', -1, 64)
		default:
			out[key] = fmt.Sprint(v)
		}
	}
	return out
}
