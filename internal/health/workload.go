package health

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Unobserved is the reason of a status that is older than the spec: it lasts
// for moments only, unless the controller is down.
const Unobserved = "Unobserved"

var unobserved = progress(Unobserved, "waiting for the controller to take up the new spec")

// deploymentReadiness is kstatus's rule with three additions: a paused
// Deployment is left alone, as Helm does; a status that lags behind is not
// judged; and counts are told in words.
func deploymentReadiness(obj *unstructured.Unstructured, o node, _ Options) Status {
	if o.at("spec").flag("paused") {
		return ready("paused")
	}
	if o.unobserved() {
		return unobserved
	}
	if c := o.condition("Progressing"); c.text("reason") == "ProgressDeadlineExceeded" {
		return failed("ProgressDeadlineExceeded", fmt.Sprintf("no progress for %d seconds, which is its progress deadline: %s",
			o.at("spec").number("progressDeadlineSeconds", 600), replicas(o)))
	}
	s := generic(obj)
	if s.State != InProgress {
		return s
	}
	if c := o.condition("ReplicaFailure"); c.isTrue() {
		return refusal(c.text("message")).waiting()
	}
	return progress("RollingOut", replicas(o))
}

// replicas is the state of a rollout in words, such as
// "1 of 3 replicas ready" or "2 of 3 replicas updated".
func replicas(o node) string {
	want, status := o.at("spec").number("replicas", 1), o.at("status")
	updated := status.number("updatedReplicas", 0)
	switch {
	case updated < want:
		return fmt.Sprintf("%d of %d replicas updated", updated, want)
	case status.number("replicas", 0) > want:
		return fmt.Sprintf("waiting for %d old replicas to end", status.number("replicas", 0)-want)
	case status.number("readyReplicas", 0) < want:
		return fmt.Sprintf("%d of %d replicas ready", status.number("readyReplicas", 0), want)
	case status.number("availableReplicas", 0) < want:
		return fmt.Sprintf("%d of %d replicas available", status.number("availableReplicas", 0), want)
	default:
		return "waiting for the Deployment to become available"
	}
}

// statefulSetReadiness replaces kstatus's rule: it demands a status that the
// controller has written, and of strategy OnDelete it demands ready pods as
// long as they are of the wanted revision.
func statefulSetReadiness(_ *unstructured.Unstructured, o node, _ Options) Status {
	spec, status := o.at("spec"), o.at("status")
	if !status.has("observedGeneration") || o.unobserved() {
		return unobserved
	}
	want := spec.number("replicas", 1)
	update := spec.at("updateStrategy")
	sameRevision := status.text("currentRevision") == status.text("updateRevision")
	if update.text("type") == "OnDelete" {
		if !sameRevision {
			return ready("pods are replaced when someone deletes them (OnDelete)")
		}
		return enoughReady(status, want)
	}
	mustUpdate := want - update.at("rollingUpdate").number("partition", 0)
	updated := status.number("updatedReplicas", 0)
	if !sameRevision && updated < mustUpdate {
		return progress("RollingOut", fmt.Sprintf("%d of %d replicas updated", updated, mustUpdate))
	}
	return enoughReady(status, want)
}

// enoughReady compares the counts that StatefulSets and ReplicationControllers share.
func enoughReady(status node, want int) Status {
	switch have, up := status.number("replicas", 0), status.number("readyReplicas", 0); {
	case up < want:
		return progress("RollingOut", fmt.Sprintf("%d of %d replicas ready", up, want))
	case have > want:
		return progress("RollingOut", fmt.Sprintf("waiting for %d replicas to end", have-want))
	case status.has("availableReplicas") && status.number("availableReplicas", 0) < want:
		return progress("RollingOut", fmt.Sprintf("%d of %d replicas available", status.number("availableReplicas", 0), want))
	}
	return ready("")
}

func controllerReadiness(_ *unstructured.Unstructured, o node, _ Options) Status {
	if !o.at("status").has("observedGeneration") || o.unobserved() {
		return unobserved
	}
	return enoughReady(o.at("status"), o.at("spec").number("replicas", 1))
}

// daemonSetReadiness differs from kstatus for strategy OnDelete, where old
// pods stay until someone deletes them and waiting for them would never end.
func daemonSetReadiness(_ *unstructured.Unstructured, o node, _ Options) Status {
	status := o.at("status")
	if !status.has("observedGeneration") || o.unobserved() {
		return unobserved
	}
	want := status.number("desiredNumberScheduled", 0)
	if have := status.number("currentNumberScheduled", 0); have < want {
		return progress("RollingOut", fmt.Sprintf("pods on %d of %d nodes", have, want))
	}
	onDelete := o.at("spec", "updateStrategy").text("type") == "OnDelete"
	if have := status.number("updatedNumberScheduled", 0); have < want && !onDelete {
		return progress("RollingOut", fmt.Sprintf("%d of %d pods updated", have, want))
	}
	if have := status.number("numberReady", 0); have < want {
		return progress("RollingOut", fmt.Sprintf("%d of %d pods ready", have, want))
	}
	if have := status.number("numberAvailable", 0); have < want {
		return progress("RollingOut", fmt.Sprintf("%d of %d pods available", have, want))
	}
	return ready("")
}
