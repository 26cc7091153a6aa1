package kubefake

import (
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// playPod takes a stored pod through a run; ended, if any, is called at its end.
func (c *Cluster) playPod(pod *unstructured.Unstructured, run Run, ended func()) {
	run = run.orDefault()
	c.logs[string(pod.GetUID())] = newOutput()
	if run.Waiting != "" {
		c.setPod(pod, "Pending", map[string]any{"waiting": map[string]any{"reason": run.Waiting, "message": run.Message}}, false)
		c.note(object.RefOf(pod), string(pod.GetUID()), "Warning", "Failed", run.Message)
		return
	}
	c.setPod(pod, "Pending", map[string]any{"waiting": map[string]any{"reason": "ContainerCreating"}}, false)
	c.later(run.Starts, pod, func() { c.startPod(pod, run, ended) })
}

func (c *Cluster) startPod(pod *unstructured.Unstructured, run Run, ended func()) {
	started := time.Now().UTC().Format(time.RFC3339)
	c.setPod(pod, "Running", map[string]any{"running": map[string]any{"startedAt": started}}, true)
	out, first := c.logs[string(pod.GetUID())], containers(pod)[0]
	for i, text := range run.Lines {
		at := run.Lasts * time.Duration(i+1) / time.Duration(len(run.Lines)+1)
		c.later(at, pod, func() { out.write(first, text) })
	}
	if run.Hangs {
		return
	}
	c.later(run.Lasts, pod, func() {
		end := map[string]any{"terminated": map[string]any{
			"exitCode": int64(run.ExitCode), "reason": run.Reason, "message": run.Message,
			"startedAt": started, "finishedAt": time.Now().UTC().Format(time.RFC3339),
		}}
		out.end()
		if run.Lingers == 0 {
			c.endPod(pod, run, end, ended)
			return
		}
		c.setPod(pod, "Running", end, false)
		c.later(run.Lingers, pod, func() { c.endPod(pod, run, end, ended) })
	})
}

// endPod gives a pod its last phase.
func (c *Cluster) endPod(pod *unstructured.Unstructured, run Run, end map[string]any, ended func()) {
	phase := "Succeeded"
	if run.ExitCode != 0 {
		phase = "Failed"
	}
	c.setPod(pod, phase, end, false)
	if ended != nil {
		ended()
		return
	}
	if key, err := c.key(object.RefOf(pod)); err == nil && run.Vanishes {
		c.remove(key)
	}
}

// setPod writes a pod's status with all containers in one state.
func (c *Cluster) setPod(pod *unstructured.Unstructured, phase string, state map[string]any, ready bool) {
	c.edit(object.RefOf(pod), pod.GetUID(), func(o *unstructured.Unstructured) {
		put(o, "node-1", "spec", "nodeName")
		var statuses []any
		for _, name := range containers(o) {
			statuses = append(statuses, map[string]any{
				"name": name, "ready": ready, "started": ready, "restartCount": int64(0),
				"image": "image:1", "imageID": "sha256:1", "state": state,
			})
		}
		is := "False"
		if ready {
			is = "True"
		}
		o.Object["status"] = map[string]any{"phase": phase, "containerStatuses": statuses}
		setConditions(o, condition("PodScheduled", "True", "", ""),
			condition("ContainersReady", is, "", ""), condition("Ready", is, "", ""))
	})
}

// containers are the names of a pod's containers; a pod without any has "main".
func containers(pod *unstructured.Unstructured) []string {
	specs, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	var names []string
	for _, s := range specs {
		spec, _ := s.(map[string]any)
		if name, ok := spec["name"].(string); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return []string{"main"}
	}
	return names
}
