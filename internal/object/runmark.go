package object

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// runMark is the annotation that tells which run has created an object. It is
// on the Jobs and Pods of hooks only.
const runMark = "pintle.dev/run"

// WithRunMark is a copy of an object that says which run creates it. Whoever
// meets the object later, changed by webhooks and defaults as it may be, can
// tell by RunMark whether it is their own.
func WithRunMark(obj *unstructured.Unstructured, run string) *unstructured.Unstructured {
	marked := obj.DeepCopy()
	setMetadata(marked, "annotations", map[string]string{runMark: run})
	return marked
}

// RunMark is what WithRunMark has put on an object; empty where it has not.
func RunMark(obj *unstructured.Unstructured) string { return Annotations(obj)[runMark] }
