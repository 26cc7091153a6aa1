package health

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/pattern"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Removal is the verdict on a Job or Pod that is being deleted, or is gone,
// before it has finished: with the reason of the cluster itself where it told
// one (an eviction, a lost node).
func Removal(obj *unstructured.Unstructured) Status {
	if f, ok := disruption(content(obj)); ok {
		return failed(f.reason, f.message)
	}
	return failed(removed, "it was deleted before it had finished")
}

// removed is our word for what somebody deleted.
const removed = "Deleted"

// disruption recognises a pod that the cluster itself takes away.
func disruption(o node) (finding, bool) {
	c := o.condition("DisruptionTarget")
	if !c.isTrue() {
		return finding{}, false
	}
	f := finding{reason: c.text("reason"), message: "the cluster took the pod away: " + sentence(c.text("message")), advice: "run it again", patience: Limited}
	if d, known := disruptions[f.reason]; known {
		f.message, f.advice = d.text(nodeOf(o)), d.advice
	}
	return f, true
}

// nodeOf names the node that a pod was on.
func nodeOf(o node) string {
	if name := o.at("spec").text("nodeName"); name != "" {
		return "its node " + name
	}
	return "its node"
}

// disruptions are the reasons of the condition DisruptionTarget.
var disruptions = map[string]struct {
	text   func(node string) string
	advice string
}{
	"EvictionByEvictionAPI": {func(node string) string {
		return "it was evicted through the eviction API, as happens when " + node + " is drained"
	}, "run it again; a PodDisruptionBudget makes a drain wait"},
	"PreemptionByScheduler": {func(string) string {
		return "it had to make room for a pod of higher priority"
	}, "run it again, add nodes, or give it a PriorityClass"},
	"DeletionByTaintManager": {func(node string) string {
		return node + " got a taint that it does not tolerate, as one that is lost or out of order does"
	}, "run it again; see `kubectl describe node` for what is wrong with the node"},
	"DeletionByPodGC": {func(node string) string {
		return node + " is gone"
	}, "run it again"},
	"TerminationByKubelet": {func(node string) string {
		return node + " ended it, since it shuts down or runs out of memory, disk or processes"
	}, "run it again; give the container requests for what it uses"},
}

// deletion recognises a pod that somebody deleted before it had finished.
func deletion(o node) (finding, bool) {
	if o.at("metadata").text("deletionTimestamp") == "" || o.at("status").text("phase") == "Succeeded" {
		return finding{}, false
	}
	return finding{reason: removed, message: "it was deleted before it had finished", advice: "run it again; who deleted it is in the API server's audit log"}, true
}

// interrupted explains the containers that have not ended in a pod that has,
// or that is being deleted: they were running, or never came to that. Without
// a node there is nothing to say of them.
func (e explainer) interrupted(p *unstructured.Unstructured) []Cause {
	var out []Cause
	for _, con := range containers(content(p)) {
		if c, ok := e.cutShort(p, con); ok && content(p).at("spec").text("nodeName") != "" {
			out = append(out, c)
		}
	}
	return out
}

func (e explainer) cutShort(p *unstructured.Unstructured, con container) (Cause, bool) {
	end := con.terminated()
	unknown := end.text("reason") == "ContainerStatusUnknown"
	if end != nil && !unknown || con.sidecar() {
		return Cause{}, false
	}
	if con.running() || end.text("startedAt") != "" || con.restarts() > 0 {
		return Cause{Subject: con.title(), Message: "was still running when it was stopped", Lines: e.related.log(p, con.name), Predicate: true}, true
	}
	c := Cause{Subject: con.title(), Message: "never started", Predicate: true}
	if f, ok := e.heldBack(p, con); ok {
		c.Reason, c.Advice = f.reason, f.advice
		c.Message += ": " + f.message
	}
	return c, true
}

// heldBack finds in a pod's events why a container never came to start.
func (e explainer) heldBack(p *unstructured.Unstructured, con container) (finding, bool) {
	events := e.related.about(p)
	for _, event := range events {
		if event.Reason != "Failed" {
			continue
		}
		if m, ok := missingObject(event.Message); ok {
			return finding{reason: "CreateContainerConfigError", message: m.message(), advice: m.advice()}, true
		}
		if m := invalidName().FindStringSubmatch(event.Message); m != nil {
			return invalidImage(con, nil, ""), true
		}
	}
	if answer := pullEvent(events, con.image()); answer != "" {
		f := imageError(con, nil, answer)
		f.reason = "ErrImagePull"
		return f, true
	}
	return podEvent(events, content(p))
}

var invalidName = pattern.Lazy(`InvalidImageName|couldn't parse image name`)

// ownDeletions are the pods that a Job's controller has deleted itself, when
// the Job had failed.
func ownDeletions(events []Event) map[string]bool {
	own := map[string]bool{}
	for _, e := range events {
		if name, ok := strings.CutPrefix(e.Message, "Deleted pod: "); ok && e.Reason == "SuccessfulDelete" {
			own[name] = true
		}
	}
	return own
}

// stopped is how a container ended that a deletion of its pod ended.
func stopped(code int) string {
	return fmt.Sprintf("was stopped with its pod (%s, exit code %d)", signals[code-128].name, code)
}
