package kubefake

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Rollout scripts how a workload goes on after a change.
type Rollout struct {
	// After is when it is ready, or fails.
	After time.Duration
	// Fails is the reason with which a Deployment is judged, such as
	// ProgressDeadlineExceeded; other kinds just never become ready.
	Fails   string
	Message string
	// Never leaves it in progress for ever.
	Never bool
	// Pods, where set, scripts one pod of the workload, which the rollout
	// creates at its beginning.
	Pods *Run
	// Counted has a Deployment's status count the new pod from the beginning,
	// as one that is not ready.
	Counted bool
}

// rollable are the kinds that play a rollout, with what makes them ready.
var rollable = map[string]func(obj *unstructured.Unstructured){
	"apps/Deployment":  deploymentReady,
	"apps/StatefulSet": statefulSetReady,
	"apps/DaemonSet":   daemonSetReady,
	"apps/ReplicaSet":  deploymentReady,
	"apiextensions.k8s.io/CustomResourceDefinition": func(obj *unstructured.Unstructured) {
		setConditions(obj, condition("NamesAccepted", "True", "NoConflicts", ""), condition("Established", "True", "InitialNamesAccepted", ""))
	},
	"/PersistentVolumeClaim": func(obj *unstructured.Unstructured) { put(obj, "Bound", "status", "phase") },
	"/Namespace":             func(obj *unstructured.Unstructured) { put(obj, "Active", "status", "phase") },
}

func (c *Cluster) playRollout(obj *unstructured.Unstructured) {
	ref := object.RefOf(obj)
	ready, ok := rollable[ref.Group+"/"+ref.Kind]
	if !ok {
		return
	}
	rollout, scripted := pick(c.rollouts, ref)
	if !scripted {
		rollout.After = time.Second
	}
	if ref.Kind == "Namespace" {
		rollout.After = 0
	}
	generation := obj.GetGeneration()
	if rollout.Pods != nil {
		owner := obj
		if ref.Kind == "Deployment" {
			owner = c.replicaSetOf(obj)
			if rollout.Counted {
				c.edit(ref, obj.GetUID(), deploymentBegun)
			}
		}
		c.playPod(c.podOf(owner), *rollout.Pods, nil)
	}
	if rollout.Never || rollout.Fails != "" && ref.Kind != "Deployment" {
		return
	}
	c.later(rollout.After, obj, func() {
		c.edit(ref, obj.GetUID(), func(o *unstructured.Unstructured) {
			if o.GetGeneration() != generation {
				return // a later change has begun a rollout of its own
			}
			if rollout.Fails != "" {
				deploymentFailed(o, rollout)
				return
			}
			ready(o)
			if ref.IsCRD() {
				c.define(o)
			}
		})
	})
}

// replicaSetOf stores the ReplicaSet of a Deployment's present revision.
func (c *Cluster) replicaSetOf(deployment *unstructured.Unstructured) *unstructured.Unstructured {
	rs := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet"}}
	rs.SetNamespace(deployment.GetNamespace())
	rs.SetName(fmt.Sprintf("%s-%d", deployment.GetName(), deployment.GetGeneration()))
	rs.SetAnnotations(map[string]string{"deployment.kubernetes.io/revision": fmt.Sprint(deployment.GetGeneration())})
	put(rs, []any{map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment.GetName(), "uid": string(deployment.GetUID()), "controller": true,
	}}, "metadata", "ownerReferences")
	if template, found, _ := unstructured.NestedMap(deployment.Object, "spec", "template"); found {
		put(rs, template, "spec", "template")
	}
	c.birth(rs)
	c.store(object.RefOf(rs).Key(), rs)
	return c.objects[object.RefOf(rs).Key()]
}

func replicas(obj *unstructured.Unstructured) int64 {
	n, found, _ := unstructured.NestedInt64(obj.Object, "spec", "replicas")
	if !found {
		return 1
	}
	return n
}

// deploymentBegun is what the controller writes when it has made the new pods.
func deploymentBegun(obj *unstructured.Unstructured) {
	put(obj, fmt.Sprint(obj.GetGeneration()), "metadata", "annotations", "deployment.kubernetes.io/revision")
	n := replicas(obj)
	obj.Object["status"] = map[string]any{
		"observedGeneration": obj.GetGeneration(), "replicas": n, "updatedReplicas": n, "unavailableReplicas": n,
	}
}

func deploymentReady(obj *unstructured.Unstructured) {
	n := replicas(obj)
	obj.Object["status"] = map[string]any{
		"observedGeneration": obj.GetGeneration(),
		"replicas":           n, "updatedReplicas": n, "readyReplicas": n, "availableReplicas": n,
	}
	setConditions(obj, condition("Available", "True", "MinimumReplicasAvailable", ""),
		condition("Progressing", "True", "NewReplicaSetAvailable", ""))
}

func deploymentFailed(obj *unstructured.Unstructured, r Rollout) {
	n := replicas(obj)
	obj.Object["status"] = map[string]any{
		"observedGeneration": obj.GetGeneration(), "replicas": n, "updatedReplicas": n, "unavailableReplicas": n,
	}
	setConditions(obj, condition("Available", "False", "MinimumReplicasUnavailable", ""),
		condition("Progressing", "False", r.Fails, r.Message))
}

func statefulSetReady(obj *unstructured.Unstructured) {
	n := replicas(obj)
	obj.Object["status"] = map[string]any{
		"observedGeneration": obj.GetGeneration(), "currentRevision": "r", "updateRevision": "r",
		"replicas": n, "readyReplicas": n, "currentReplicas": n, "updatedReplicas": n, "availableReplicas": n,
	}
}

func daemonSetReady(obj *unstructured.Unstructured) {
	obj.Object["status"] = map[string]any{
		"observedGeneration": obj.GetGeneration(), "desiredNumberScheduled": int64(1), "currentNumberScheduled": int64(1),
		"updatedNumberScheduled": int64(1), "numberReady": int64(1), "numberAvailable": int64(1), "numberMisscheduled": int64(0),
	}
}

func condition(kind, status, reason, message string) any {
	return map[string]any{
		"type": kind, "status": status, "reason": reason, "message": message,
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	}
}

func setConditions(obj *unstructured.Unstructured, conditions ...any) {
	put(obj, conditions, "status", "conditions")
}

// put sets a nested field, making the maps on the way.
func put(obj *unstructured.Unstructured, value any, fields ...string) {
	at := obj.Object
	for _, f := range fields[:len(fields)-1] {
		next, ok := at[f].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[f] = next
		}
		at = next
	}
	at[fields[len(fields)-1]] = value
}
