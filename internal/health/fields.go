package health

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// node is a JSON object as unstructured holds it; a missing one is nil, and
// every accessor of a nil node gives the zero value. Fields of the wrong type
// count as missing: an object from a newer or stranger API server must never
// make a wait panic.
type node map[string]any

func content(u *unstructured.Unstructured) node {
	if u == nil {
		return nil
	}
	return u.Object
}

// at walks down nested objects.
func (n node) at(path ...string) node {
	for _, p := range path {
		next, ok := n[p].(map[string]any)
		if !ok {
			return nil
		}
		n = next
	}
	return n
}

func (n node) has(key string) bool {
	v, ok := n[key]
	return ok && v != nil
}

func (n node) text(key string) string {
	s, _ := n[key].(string)
	return s
}

func (n node) flag(key string) bool {
	b, _ := n[key].(bool)
	return b
}

// number reads an integer in any form that JSON and YAML decoders produce.
func (n node) number(key string, missing int) int {
	switch v := n[key].(type) {
	case int64:
		return int(v)
	case int:
		return v
	case int32:
		return int(v)
	case float64:
		return int(v)
	}
	return missing
}

// list gives the objects in an array, leaving out what is none.
func (n node) list(key string) []node {
	items, _ := n[key].([]any)
	out := make([]node, 0, len(items))
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// condition finds a status condition by its type; nil when it is not there.
func (n node) condition(kind string) node {
	for _, c := range n.at("status").list("conditions") {
		if c.text("type") == kind {
			return c
		}
	}
	return nil
}

func (n node) isTrue() bool  { return n.text("status") == "True" }
func (n node) isFalse() bool { return n.text("status") == "False" }

// unobserved tells that the controller has not yet seen the latest spec.
func (n node) unobserved() bool {
	status := n.at("status")
	return status.has("observedGeneration") &&
		status.number("observedGeneration", 0) < n.at("metadata").number("generation", 0)
}
