package health

import (
	"fmt"
	"strings"
)

// finding is what one rule recognised in a pod or container. It is the common
// source of PodTrouble's sentence and Explain's tree, so that the two never
// tell different stories.
type finding struct {
	reason   string
	message  string
	advice   string
	patience Patience
	exitCode *int
	// log tells that the container ran, so that its last lines belong here.
	log bool
	// predicate tells that the message lacks its subject, such as "was killed".
	predicate bool
}

// about is the message with the subject that it speaks of.
func (f finding) about(subject string) string {
	if f.predicate {
		return subject + " " + f.message
	}
	return subject + ": " + f.message
}

// podFinding recognises what befalls a pod as a whole.
func podFinding(o node) (finding, bool) {
	status := o.at("status")
	if status.text("phase") == "Failed" && status.text("reason") != "" {
		return failedPod(o), true
	}
	if f, ok := disruption(o); ok {
		return f, true
	}
	if c := o.condition("PodScheduled"); c.isFalse() {
		switch c.text("reason") {
		case "Unschedulable":
			return unschedulable(c.text("message"), o), true
		case "SchedulingGated":
			return finding{reason: "SchedulingGated", message: "scheduling is held back by the pod's schedulingGates",
				advice: "something else has to lift the gates: " + gateNames(o)}, true
		}
	}
	return finding{}, false
}

func gateNames(o node) string {
	var names []string
	for _, g := range o.at("spec").list("schedulingGates") {
		names = append(names, g.text("name"))
	}
	return strings.Join(names, ", ")
}

// failedPod reads a Failed pod's own reason.
func failedPod(o node) finding {
	status := o.at("status")
	f := finding{reason: status.text("reason"), message: sentence(status.text("message")), patience: Never}
	if len(o.at("metadata").list("ownerReferences")) > 0 {
		f.patience = Limited
	}
	switch f.reason {
	case "Evicted":
		f.message = "the node evicted the pod: " + lowerFirst(f.message)
		f.advice = "give the container requests for what it uses (memory, ephemeral-storage), or free the node"
	case "DeadlineExceeded":
		f.message = fmt.Sprintf("it ran longer than its activeDeadlineSeconds of %d", o.at("spec").number("activeDeadlineSeconds", 0))
		f.advice = "raise activeDeadlineSeconds, or see in the log what took so long"
	case "":
		f.reason = "PodFailed"
	}
	if f.message == "" {
		f.message = "the pod failed: " + f.reason
	}
	return f
}

// finding recognises what is wrong with one container, if anything.
func (c container) finding(pod node) (finding, bool) {
	if w := c.waiting(); w != nil {
		if rule, ok := waitingRules[w.text("reason")]; ok {
			return rule(c, pod, w.text("message")), true
		}
		return finding{}, false
	}
	if end := c.terminated(); end != nil && end.number("exitCode", 0) != 0 && end.text("reason") != "ContainerStatusUnknown" {
		f := c.ended(pod, end)
		if c.restarts() > 0 {
			f.message += "; it was restarted " + times(c.restarts()) + " before"
		}
		return f, true
	}
	if end := c.lastEnd(); end != nil && c.running() && !c.ready() && c.restarts() > 0 && end.number("exitCode", 0) != 0 {
		f := c.ended(pod, end)
		f.message += fmt.Sprintf("; it was restarted %s and runs again", times(c.restarts()))
		return f, true
	}
	return finding{}, false
}

// waitingRules recognise why a container does not run, by the kubelet's word.
var waitingRules = map[string]func(c container, pod node, message string) finding{
	"ErrImagePull":               imageError,
	"ImagePullBackOff":           imageError,
	"RegistryUnavailable":        imageError,
	"ImageInspectError":          imageError,
	"SignatureValidationFailed":  imageError,
	"ErrImageNeverPull":          imageNeverPulled,
	"InvalidImageName":           invalidImage,
	"CreateContainerConfigError": configError,
	"CreateContainerError":       createError,
	"RunContainerError":          runError,
	"CrashLoopBackOff":           crashLoop,
}
