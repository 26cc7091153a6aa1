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
