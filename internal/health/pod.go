package health

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// container is one container of a pod: what was asked for and how it is.
type container struct {
	name string
	init bool
	// spec and status are empty where the pod has none (yet).
	spec, status node
}

// containers lists a pod's containers in the order in which they start: init
// containers first. Ephemeral ones are not part of what the pod is for.
func containers(pod node) []container {
	var out []container
	for _, part := range []struct {
		specs, statuses string
		init            bool
	}{
		{"initContainers", "initContainerStatuses", true},
		{"containers", "containerStatuses", false},
	} {
		statuses := map[string]node{}
		for _, s := range pod.at("status").list(part.statuses) {
			statuses[s.text("name")] = s
		}
		for _, spec := range pod.at("spec").list(part.specs) {
			name := spec.text("name")
			out = append(out, container{name: name, init: part.init, spec: spec, status: statuses[name]})
		}
	}
	return out
}

func (c container) restarts() int    { return c.status.number("restartCount", 0) }
func (c container) waiting() node    { return c.status.at("state", "waiting") }
func (c container) running() bool    { return c.status.at("state", "running") != nil }
func (c container) terminated() node { return c.status.at("state", "terminated") }
func (c container) lastEnd() node    { return c.status.at("lastState", "terminated") }
func (c container) image() string    { return c.spec.text("image") }
func (c container) ready() bool      { return c.status.flag("ready") }

func (c container) hasReadiness() bool { return c.spec.has("readinessProbe") }

func (c container) title() string {
	if c.init {
		return "init container " + c.name
	}
	return "container " + c.name
}

// sidecar tells an init container that goes on running beside the others.
func (c container) sidecar() bool { return c.init && c.spec.text("restartPolicy") == "Always" }

// Restarts is the largest number of restarts of any one container of the pod.
func Restarts(pod *unstructured.Unstructured) int {
	most := 0
	for _, c := range containers(content(pod)) {
		most = max(most, c.restarts())
	}
	return most
}

// JustRestarted tells that a container which ended badly before runs again,
// and has done so for less than grace. Between two crashes a container without
// a readiness probe looks well for a moment; whoever measures for how long a
// pod has been in trouble must not take that moment for recovery. now is
// compared with the node's clock, so grace should be some seconds at least.
func JustRestarted(pod *unstructured.Unstructured, now time.Time, grace time.Duration) bool {
	for _, c := range containers(content(pod)) {
		if !c.running() || c.restarts() == 0 || c.lastEnd().number("exitCode", 0) == 0 {
			continue
		}
		started, err := time.Parse(time.RFC3339, c.status.at("state", "running").text("startedAt"))
		if err != nil || now.Sub(started) < grace {
			return true
		}
	}
	return false
}

// Over tells a pod that only waits for its node to say so: none of its containers
// runs or will run again, since its restart policy is Never. On a busy node it
// can be many seconds until its phase follows, and it follows by itself.
func Over(pod *unstructured.Unstructured) bool {
	o := content(pod)
	if o.at("spec").text("restartPolicy") != "Never" {
		return false
	}
	left := 0
	for _, c := range containers(o) {
		end := c.terminated()
		switch {
		case c.sidecar():
		case c.spec.has("restartPolicy") && c.spec.text("restartPolicy") != "Never", c.spec.has("restartPolicyRules"):
			return false // it has a rule of its own
		case c.init && end != nil && end.number("exitCode", 0) != 0:
			return true
		case end == nil:
			left++
		}
	}
	return left == 0
}

// PodTrouble says what keeps a pod from doing its work, and, in the status's
// Patience, how long that is worth waiting for; false when nothing is wrong
// that can be seen in the pod. A trouble of patience Never is Failed, any
// other InProgress. A failed pod is final when it is on its own; one that a
// controller will replace has Limited patience.
func PodTrouble(pod *unstructured.Unstructured) (Status, bool) {
	o := content(pod)
	if f, ok := podFinding(o); ok {
		return f.status(), true
	}
	for _, c := range containers(o) {
		if f, ok := c.finding(o); ok {
			s := f.status()
			s.Message = f.about(c.title())
			return s, true
		}
	}
	return Status{}, false
}

func (f finding) status() Status {
	if f.patience == Never {
		return failed(f.reason, f.message)
	}
	return Status{State: InProgress, Reason: f.reason, Message: f.message, Patience: f.patience}
}

func podCompletion(o node) Status {
	switch o.at("status").text("phase") {
	case "Succeeded":
		return ready("")
	case "Failed":
		return podFailure(o)
	}
	if s, ok := PodTrouble(&unstructured.Unstructured{Object: o}); ok {
		return s
	}
	return podProgress(o)
}

// podReadiness: what has ended well is ready, as for Helm; what has failed
// never is. A trouble shows as the reason.
func podReadiness(_ *unstructured.Unstructured, o node, _ Options) Status {
	switch o.at("status").text("phase") {
	case "Succeeded":
		return ready("")
	case "Failed":
		return podFailure(o)
	}
	if o.condition("Ready").isTrue() {
		return ready("")
	}
	if s, ok := PodTrouble(&unstructured.Unstructured{Object: o}); ok {
		return s
	}
	return podProgress(o)
}

// podFailure is the verdict on a pod of phase Failed: the pod's own reason
// (Evicted, DeadlineExceeded) or how its containers ended.
func podFailure(o node) Status {
	if f, ok := podFinding(o); ok {
		return failed(f.reason, f.message)
	}
	for _, c := range containers(o) {
		if end := c.terminated(); end != nil && end.number("exitCode", 0) != 0 {
			f := c.ended(o, end)
			return failed(f.reason, f.about(c.title()))
		}
	}
	return failed("PodFailed", "the pod failed")
}

// podProgress says what a pod without trouble is about.
func podProgress(o node) Status {
	if phase := o.at("status").text("phase"); phase == "" {
		return progress("Pending", "waiting for the pod to be taken up")
	}
	if o.at("spec").text("nodeName") == "" {
		return progress("Pending", "waiting to be scheduled")
	}
	for _, c := range containers(o) {
		switch {
		case c.init && !c.sidecar() && c.running():
			return progress("InitRunning", c.title()+" is running")
		case c.waiting() != nil && !podIsInitializing(c):
			return progress(c.waiting().text("reason"), fmt.Sprintf("%s is starting", c.title()))
		case c.running() && !c.ready() && !c.init:
			return progress("NotReady", notReadyText(c))
		}
	}
	return progress("Running", "the pod is running")
}

// podIsInitializing tells a container that waits for init containers and so
// says nothing about the cause.
func podIsInitializing(c container) bool {
	return c.waiting().text("reason") == "PodInitializing"
}

func notReadyText(c container) string {
	if c.hasReadiness() {
		return fmt.Sprintf("%s is running; its readiness probe has not passed", c.title())
	}
	return fmt.Sprintf("%s is running, not ready yet", c.title())
}
