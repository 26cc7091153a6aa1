package health

import (
	"fmt"
	"strconv"

	"github.com/pintle-dev/pintle/internal/pattern"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Completion says whether a hook's object has done its work: a Job is
// complete, a Pod has succeeded. Ready means succeeded, Failed is final. Any
// other kind is done as soon as it exists, which is Helm's rule for hooks.
func Completion(obj *unstructured.Unstructured) Status {
	o := content(obj)
	switch gvk := obj.GroupVersionKind(); {
	case gvk.Group == "batch" && gvk.Kind == "Job":
		return jobCompletion(o)
	case gvk.Group == "" && gvk.Kind == "Pod":
		return podCompletion(o)
	default:
		return ready("")
	}
}

// jobCompletion goes by the conditions Complete and Failed alone: the ones
// that announce them (SuccessCriteriaMet, FailureTarget) come while pods may
// still be running.
func jobCompletion(o node) Status {
	if o.condition("Complete").isTrue() {
		return ready("")
	}
	if c := o.condition("Failed"); c.isTrue() {
		return failed(c.text("reason"), jobVerdict(o, c))
	}
	if o.at("spec").flag("suspend") {
		return progress("Suspended", "the Job is suspended")
	}
	return progress("Running", jobCounts(o))
}

// jobVerdict puts the controller's judgement in words that name the limit.
func jobVerdict(o, condition node) string {
	spec := o.at("spec")
	switch condition.text("reason") {
	case "BackoffLimitExceeded":
		pods, limit := o.at("status").number("failed", 0), spec.number("backoffLimit", 6)
		if spec.at("template", "spec").text("restartPolicy") == "OnFailure" {
			return fmt.Sprintf("its container kept failing; its backoffLimit of %d allows no further restart", limit)
		}
		return fmt.Sprintf("it failed %s; its backoffLimit of %d allows no further attempt", times(pods), limit)
	case "DeadlineExceeded":
		return fmt.Sprintf("it ran longer than its activeDeadlineSeconds of %d", spec.number("activeDeadlineSeconds", 0))
	case "PodFailurePolicy":
		if m := failurePolicy().FindStringSubmatch(condition.text("message")); m != nil {
			rule, _ := strconv.Atoi(m[3])
			return fmt.Sprintf("its podFailurePolicy ends it when container %s fails with exit code %s (rule %d)", m[1], m[2], rule+1)
		}
	}
	if m := condition.text("message"); m != "" {
		return m
	}
	return "the Job failed"
}

// failurePolicy is the Job controller's message, which counts rules from 0.
var failurePolicy = pattern.Lazy(`^Container (\S+) for pod \S+ failed with exit code (\d+) matching FailJob rule at index (\d+)$`)

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// jobCounts is how far a running Job has come, such as "1 active, 2 failed".
func jobCounts(o node) string {
	spec, status := o.at("spec"), o.at("status")
	text := fmt.Sprintf("%d active", status.number("active", 0))
	if status.number("active", 0) == 0 {
		text = "waiting for a pod"
	}
	if want := spec.number("completions", 1); want > 1 {
		text = fmt.Sprintf("%d of %d completed, %s", status.number("succeeded", 0), want, text)
	}
	if n := status.number("failed", 0); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	return text
}

// jobReadiness: without Options.Jobs only a failed Job is not ready.
func jobReadiness(_ *unstructured.Unstructured, o node, opts Options) Status {
	s := jobCompletion(o)
	if s.State == InProgress && !opts.Jobs {
		return ready("")
	}
	return s
}
