package health

import (
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Options steer Readiness.
type Options struct {
	// Jobs says that a Job is ready only when it is complete. Without it a Job
	// is ready as soon as it exists, unless it has failed.
	Jobs bool
}

// DefaultOptions are those of `--wait` without `--wait-for-jobs`.
func DefaultOptions() Options { return Options{} }

// Readiness says whether an object does what it is for, as `--wait` means it.
//
// Built-in kinds follow kstatus, as in Helm 4 and Flux, except where it
// misleads: a failed Pod is Failed, an unschedulable Pod is InProgress
// whatever the clock says, a Job is complete or it is not, a LoadBalancer has
// an address. A Deployment is ready when all replicas are of the new revision
// and available; maxUnavailable is not subtracted. One that is paused counts
// as ready, since nothing is going to happen to it, and so does a StatefulSet
// or DaemonSet of strategy OnDelete whose pods are still of an old revision.
// A custom resource is ready by its Ready condition, or at once when it has
// none. An object that is being deleted is InProgress. Any kind whose status
// lags behind its spec is InProgress.
func Readiness(obj *unstructured.Unstructured, opts Options) Status {
	o := content(obj)
	if o.at("metadata").text("deletionTimestamp") != "" {
		return progress("Terminating", "it is being deleted")
	}
	gk := obj.GroupVersionKind().GroupKind()
	if !NeedsWatch(gk.Group, gk.Kind) {
		return ready("")
	}
	if rule, ok := rules[gk]; ok {
		return rule(obj, o, opts)
	}
	return generic(obj)
}

// rule decides one kind's readiness.
type rule func(obj *unstructured.Unstructured, o node, opts Options) Status

// rules are the kinds for which kstatus alone will not do. It is built once
// and never changed.
var rules = map[schema.GroupKind]rule{
	{Kind: "Pod"}:                                                     podReadiness,
	{Kind: "Namespace"}:                                               namespaceReadiness,
	{Kind: "PersistentVolumeClaim"}:                                   claimReadiness,
	{Kind: "ReplicationController"}:                                   controllerReadiness,
	{Kind: "Service"}:                                                 serviceReadiness,
	{Group: "apps", Kind: "DaemonSet"}:                                daemonSetReadiness,
	{Group: "apps", Kind: "Deployment"}:                               deploymentReadiness,
	{Group: "apps", Kind: "ReplicaSet"}:                               controllerReadiness,
	{Group: "apps", Kind: "StatefulSet"}:                              statefulSetReadiness,
	{Group: "batch", Kind: "Job"}:                                     jobReadiness,
	{Group: "extensions", Kind: "DaemonSet"}:                          daemonSetReadiness,
	{Group: "extensions", Kind: "Deployment"}:                         deploymentReadiness,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:             conditionReadiness("Available"),
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: crdReadiness,
}

// inert are the groups and kinds of Kubernetes' own that have no readiness:
// they do what they are for as soon as they are stored. An empty kind stands
// for the whole group.
var inert = map[schema.GroupKind]bool{
	{Kind: "ConfigMap"}:                          true,
	{Kind: "Endpoints"}:                          true,
	{Kind: "Event"}:                              true,
	{Kind: "LimitRange"}:                         true,
	{Kind: "PersistentVolume"}:                   true,
	{Kind: "PodTemplate"}:                        true,
	{Kind: "ResourceQuota"}:                      true,
	{Kind: "Secret"}:                             true,
	{Kind: "ServiceAccount"}:                     true,
	{Group: "batch", Kind: "CronJob"}:            true,
	{Group: "apps", Kind: "ControllerRevision"}:  true,
	{Group: "policy", Kind: "PodSecurityPolicy"}: true,
	{Group: "admissionregistration.k8s.io"}:      true,
	{Group: "autoscaling"}:                       true,
	{Group: "coordination.k8s.io"}:               true,
	{Group: "discovery.k8s.io"}:                  true,
	{Group: "events.k8s.io"}:                     true,
	{Group: "flowcontrol.apiserver.k8s.io"}:      true,
	{Group: "networking.k8s.io"}:                 true,
	{Group: "node.k8s.io"}:                       true,
	{Group: "rbac.authorization.k8s.io"}:         true,
	{Group: "scheduling.k8s.io"}:                 true,
	{Group: "storage.k8s.io"}:                    true,
}

// NeedsWatch reports whether objects of that kind can be anything but Ready
// as soon as they exist. ConfigMaps, Secrets, RBAC and their like cannot, and
// need no watch.
func NeedsWatch(group, kind string) bool {
	wholeGroup := group != "" && inert[schema.GroupKind{Group: group}]
	return !wholeGroup && !inert[schema.GroupKind{Group: group, Kind: kind}]
}

// generic is kstatus's answer. What it cannot read is InProgress, with its
// complaint as the message: a wait then ends at its timeout and says so.
func generic(obj *unstructured.Unstructured) Status {
	result, err := status.Compute(obj)
	if err != nil {
		return progress("Unreadable", err.Error())
	}
	reason := ""
	if len(result.Conditions) > 0 {
		reason = result.Conditions[0].Reason
	}
	switch result.Status {
	case status.CurrentStatus:
		return ready("")
	case status.FailedStatus:
		return failed(reason, result.Message)
	default:
		return progress(reason, result.Message)
	}
}

// conditionReadiness is the rule of kinds whose readiness is one condition.
func conditionReadiness(kind string) rule {
	return func(_ *unstructured.Unstructured, o node, _ Options) Status {
		c := o.condition(kind)
		switch {
		case c.isTrue():
			return ready("")
		case c.text("message") != "":
			return progress(c.text("reason"), c.text("message"))
		default:
			return progress(c.text("reason"), fmt.Sprintf("waiting for condition %s", kind))
		}
	}
}

// crdReadiness: a refused name is final, for as long as the other definition
// holds it.
func crdReadiness(_ *unstructured.Unstructured, o node, _ Options) Status {
	if c := o.condition("NamesAccepted"); c.isFalse() {
		return failed(c.text("reason"), c.text("message"))
	}
	if o.condition("Established").isTrue() {
		return ready("")
	}
	return progress("Installing", "waiting for the API server to establish it")
}

func namespaceReadiness(_ *unstructured.Unstructured, o node, _ Options) Status {
	if phase := o.at("status").text("phase"); phase != "Active" && phase != "" {
		return progress(phase, "the namespace is "+phase)
	}
	return ready("")
}

func claimReadiness(_ *unstructured.Unstructured, o node, _ Options) Status {
	switch o.at("status").text("phase") {
	case "Bound":
		return ready("")
	case "Lost":
		return failed("Lost", "the volume that it was bound to is gone: "+o.at("spec").text("volumeName"))
	default:
		return progress("Pending", "waiting for a volume")
	}
}

// serviceReadiness: only a LoadBalancer has anything to wait for. Unlike
// kstatus, which is content with a cluster IP, it must have been given an
// address to the outside.
func serviceReadiness(_ *unstructured.Unstructured, o node, _ Options) Status {
	spec := o.at("spec")
	if spec.text("type") != "LoadBalancer" || len(o.at("status", "loadBalancer").list("ingress")) > 0 {
		return ready("")
	}
	if ips, _ := spec["externalIPs"].([]any); len(ips) > 0 {
		return ready("")
	}
	return progress("NoAddress", "waiting for the load balancer's address")
}
