package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Hindrance says what only events tell of an object that does not come to
// run: a controller that is not allowed to make pods, a pod whose volume
// cannot be mounted. Events are not taken back when the cause is gone, so it
// is to be asked only of a workload that has no pods, or a pod that has not
// started.
func Hindrance(obj *unstructured.Unstructured, events []Event) (Status, bool) {
	related := Related{Events: events}
	about := related.about(obj)
	if obj.GetKind() == "Pod" {
		f, ok := podEvent(about, content(obj))
		return f.status(), ok
	}
	for _, e := range about {
		if e.Reason == "FailedCreate" {
			return refusal(refusalText(e.Message)).waiting(), true
		}
	}
	return Status{}, false
}
