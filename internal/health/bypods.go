package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// FewerReady tells that a workload's own status counts fewer ready pods than it
// did before, and not because it has fewer pods.
func FewerReady(before, now *unstructured.Unstructured) bool {
	was, is := content(before).at("status"), content(now).at("status")
	return is.number("readyReplicas", 0) < was.number("readyReplicas", 0) && is.number("replicas", 0) >= was.number("replicas", 0)
}

// ReadyByPods tells that all of a Deployment's pods are ready although its
// status does not say so yet: its controller learns of them through their
// ReplicaSet, and both write a status first, which takes longer than all that a
// wait does after it. It is true only where these writes have nothing to decide: the
// controller has taken up the spec and counts as many new pods as are wanted
// and no old ones, and exactly those pods, of the ReplicaSet of the
// Deployment's own revision, are ready. With minReadySeconds time decides, and
// the answer is false.
func ReadyByPods(deployment *unstructured.Unstructured, related Related) bool {
	d := content(deployment)
	spec, status := d.at("spec"), d.at("status")
	want := spec.number("replicas", 1)
	switch {
	case deployment.GetKind() != "Deployment", deployment.GetDeletionTimestamp() != nil:
		return false
	case !status.has("observedGeneration"), d.unobserved(), spec.number("minReadySeconds", 0) > 0:
		return false
	case d.condition("Progressing").text("reason") == "ProgressDeadlineExceeded":
		return false
	case status.number("updatedReplicas", 0) != want, status.number("replicas", 0) != want:
		return false
	}
	const revision = "deployment.kubernetes.io/revision"
	rs := related.newest(deployment)
	if rs == nil || rs.GetAnnotations()[revision] == "" || rs.GetAnnotations()[revision] != deployment.GetAnnotations()[revision] || content(rs).at("spec").number("replicas", 1) != want {
		return false // what is known of the ReplicaSets is older than the Deployment's status
	}
	pods := related.Pods(deployment)
	for _, pod := range pods {
		if !content(pod).condition("Ready").isTrue() {
			return false
		}
	}
	return len(pods) == want
}
