package engine

import (
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Finished tells a Job or Pod that has ended, well or not. Objects of other
// kinds have no end.
func Finished(obj *unstructured.Unstructured) bool {
	return Ends(object.RefOf(obj)) && health.Completion(obj).State != health.InProgress
}

// Ends tells the kinds that the engine sees through to their end: Jobs and Pods.
func Ends(ref object.Ref) bool { return ref.Is("batch", "Job") || ref.Is("", "Pod") }

// AtWork tells a Job or Pod that may still do something: it has not ended, and
// it is not a suspended Job without pods.
func AtWork(obj *unstructured.Unstructured) bool {
	if !Ends(object.RefOf(obj)) || Finished(obj) {
		return false
	}
	suspended, _, _ := unstructured.NestedBool(obj.Object, "spec", "suspend")
	active, _, _ := unstructured.NestedInt64(obj.Object, "status", "active")
	return !suspended || active > 0
}
