package object

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Target says what a watch covers: objects of one kind in one namespace.
// Name narrows it to a single object, Selector to those whose labels match
// (the API server's label selector syntax); both empty mean all of them.
type Target struct {
	Group, Version, Kind string
	Namespace            string
	Name                 string
	Selector             string
}

// TargetOf is the target that covers exactly one object.
func TargetOf(r Ref) Target {
	return Target{Group: r.Group, Version: r.Version, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
}

// Observation is one thing that a watch saw: an object as it is now, or, with
// Gone set, that it is there no more (Object then holds its last known state,
// or nil where none was seen).
type Observation struct {
	Ref    Ref
	Object *unstructured.Unstructured
	Gone   bool
}
