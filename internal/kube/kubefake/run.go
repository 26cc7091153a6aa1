package kubefake

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Run scripts how a Pod goes, or a Job with its pods.
type Run struct {
	// Starts is the time from creation until the containers run.
	Starts time.Duration
	// Lasts is how long they run; 0 means one second.
	Lasts time.Duration
	// ExitCode is that of all containers.
	ExitCode int
	// Reason and Message are those of the containers' end; Reason is Completed
	// or Error by default.
	Reason  string
	Message string
	// Lines are written by the first container, spread evenly over Lasts.
	Lines []string
	// Hangs never ends; the pod is running and ready.
	Hangs bool
	// Waiting is the reason for which containers never start, such as
	// ImagePullBackOff.
	Waiting string
	// Vanishes deletes the object the moment it has finished, as a TTL of 0 does.
	Vanishes bool
	// Lingers is how long the pod's phase stays Running when its containers have
	// ended, as on a busy node.
	Lingers time.Duration
	// Pods is how many pods of a Job fail, one after another, before the Job is
	// judged; 0 means one.
	Pods int
}

func (r Run) orDefault() Run {
	if r.Lasts == 0 {
		r.Lasts = time.Second
	}
	if r.Reason == "" {
		r.Reason = "Completed"
		if r.ExitCode != 0 {
			r.Reason = "Error"
		}
	}
	return r
}

// judged is how soon a Job's controller notices the end of a pod.
const judged = 10 * time.Millisecond

// playJob starts the first pod of a Job.
func (c *Cluster) playJob(job *unstructured.Unstructured, run Run) {
	ref, uid := object.RefOf(job), job.GetUID()
	c.edit(ref, uid, func(o *unstructured.Unstructured) {
		put(o, time.Now().UTC().Format(time.RFC3339), "status", "startTime")
		put(o, int64(1), "status", "active")
	})
	if seconds, ok, _ := unstructured.NestedInt64(job.Object, "spec", "activeDeadlineSeconds"); ok {
		c.later(time.Duration(seconds)*time.Second, job, func() {
			c.finishJob(job, run, "DeadlineExceeded", "Job was active longer than specified deadline")
		})
	}
	c.nextPod(job, run, 1)
}

func (c *Cluster) nextPod(job *unstructured.Unstructured, run Run, n int) {
	pod := c.podOf(job)
	c.playPod(pod, run, func() {
		c.later(judged, job, func() {
			switch {
			case run.ExitCode == 0:
				c.finishJob(job, run, "", "")
			case n < run.Pods:
				c.edit(object.RefOf(job), job.GetUID(), func(o *unstructured.Unstructured) { put(o, int64(n), "status", "failed") })
				c.later(time.Second, job, func() { c.nextPod(job, run, n+1) })
			default:
				c.edit(object.RefOf(job), job.GetUID(), func(o *unstructured.Unstructured) { put(o, int64(n), "status", "failed") })
				c.finishJob(job, run, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
			}
		})
	})
}

// finishJob writes the Job's last status: success when reason is empty.
func (c *Cluster) finishJob(job *unstructured.Unstructured, run Run, reason, message string) {
	ref, uid := object.RefOf(job), job.GetUID()
	if key, err := c.key(ref); err != nil || finished(c.objects[key]) {
		return
	}
	c.edit(ref, uid, func(o *unstructured.Unstructured) {
		unstructured.RemoveNestedField(o.Object, "status", "active")
		if reason != "" {
			setConditions(o, condition("FailureTarget", "True", reason, message), condition("Failed", "True", reason, message))
			return
		}
		put(o, int64(1), "status", "succeeded")
		put(o, time.Now().UTC().Format(time.RFC3339), "status", "completionTime")
		setConditions(o, condition("SuccessCriteriaMet", "True", "CompletionsReached", ""), condition("Complete", "True", "CompletionsReached", ""))
	})
	if reason != "" {
		c.note(ref, string(uid), "Warning", reason, message)
	}
	if reason == "DeadlineExceeded" {
		for _, key := range c.ownedBy(uid) {
			c.remove(key)
		}
	}
	if key, err := c.key(ref); err == nil && run.Vanishes {
		c.remove(key)
	}
}

// suspend ends the pods of a Job that was suspended, as its controller does.
func (c *Cluster) suspend(job *unstructured.Unstructured) {
	if suspended, _, _ := unstructured.NestedBool(job.Object, "spec", "suspend"); !suspended || finished(job) {
		return
	}
	c.later(judged, job, func() {
		for _, key := range c.ownedBy(job.GetUID()) {
			c.remove(key)
		}
		c.edit(object.RefOf(job), job.GetUID(), func(o *unstructured.Unstructured) {
			put(o, int64(0), "status", "active")
			setConditions(o, condition("Suspended", "True", "JobSuspended", "Job suspended"))
		})
	})
}

func finished(job *unstructured.Unstructured) bool {
	if job == nil {
		return true
	}
	conditions, _, _ := unstructured.NestedSlice(job.Object, "status", "conditions")
	return len(conditions) > 0
}

// podOf stores a new pod that belongs to a Job or a workload.
func (c *Cluster) podOf(owner *unstructured.Unstructured) *unstructured.Unstructured {
	spec, found, _ := unstructured.NestedMap(owner.Object, "spec", "template", "spec")
	if !found {
		spec = map[string]any{}
	}
	labels, _, _ := unstructured.NestedStringMap(owner.Object, "spec", "template", "metadata", "labels")
	if labels == nil {
		labels = map[string]string{}
	}
	if owner.GetKind() == "Job" {
		labels["job-name"], labels["batch.kubernetes.io/job-name"] = owner.GetName(), owner.GetName()
		labels["controller-uid"], labels["batch.kubernetes.io/controller-uid"] = string(owner.GetUID()), string(owner.GetUID())
	}
	pod := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": spec}}
	pod.SetNamespace(owner.GetNamespace())
	pod.SetName(fmt.Sprintf("%s-%d", owner.GetName(), len(c.ownedBy(owner.GetUID()))+1))
	pod.SetLabels(labels)
	put(pod, []any{map[string]any{
		"apiVersion": owner.GetAPIVersion(), "kind": owner.GetKind(), "name": owner.GetName(), "uid": string(owner.GetUID()), "controller": true,
	}}, "metadata", "ownerReferences")
	c.birth(pod)
	c.store(object.RefOf(pod).Key(), pod)
	c.note(object.RefOf(owner), string(owner.GetUID()), "Normal", "SuccessfulCreate", "Created pod: "+pod.GetName())
	return c.objects[object.RefOf(pod).Key()]
}
