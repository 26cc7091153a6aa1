package kubefake

import (
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Edit changes an object some time after it was created or applied anew.
type Edit struct {
	After time.Duration
	Do    func(obj *unstructured.Unstructured)
}

// Runs scripts Pods, and the pods of Jobs, of that pattern. The first object
// that is created takes the first run, the next one the second, and so on;
// the last run is used again and again. Without a script a Pod that restarts
// (policy Always) becomes ready after a second, and every other Pod, and each
// Job, succeeds after a second without a word.
func (c *Cluster) Runs(pattern string, runs ...Run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs = append(c.runs, scripted[Run]{pattern: pattern, plays: runs})
}

// Becomes scripts how a Deployment, StatefulSet, DaemonSet, ReplicaSet, PVC or
// CustomResourceDefinition goes on after it was created or changed, one
// rollout per change. Without a script it is ready after a second.
func (c *Cluster) Becomes(pattern string, rollouts ...Rollout) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rollouts = append(c.rollouts, scripted[Rollout]{pattern: pattern, plays: rollouts})
}

// Edits scripts any other change to objects of a pattern.
func (c *Cluster) Edits(pattern string, edits ...Edit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.edits = append(c.edits, scripted[Edit]{pattern: pattern, plays: edits})
}

// Lingers makes the deletion of objects of a pattern take that long.
func (c *Cluster) Lingers(pattern string, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lingers = append(c.lingers, scripted[time.Duration]{pattern: pattern, plays: []time.Duration{d}})
}

// play starts what is scripted for an object that was created or changed.
func (c *Cluster) play(obj *unstructured.Unstructured) {
	ref := object.RefOf(obj)
	first := obj.GetGeneration() == 1
	switch {
	case ref.Is("batch", "Job") && first:
		run, _ := pick(c.runs, ref)
		c.playJob(obj, run.orDefault())
	case ref.Is("batch", "Job"):
		c.suspend(obj)
	case ref.Is("", "Pod") && first:
		run, ok := pick(c.runs, ref)
		if policy, _, _ := unstructured.NestedString(obj.Object, "spec", "restartPolicy"); !ok && (policy == "" || policy == "Always") {
			run.Hangs = true
		}
		c.playPod(obj, run.orDefault(), nil)
	default:
		c.playRollout(obj)
	}
	if edit, ok := pick(c.edits, ref); ok {
		c.later(edit.After, obj, func() { c.edit(ref, obj.GetUID(), edit.Do) })
	}
}

// later runs do, with the cluster locked, unless the object is gone or was
// replaced by then.
func (c *Cluster) later(d time.Duration, obj *unstructured.Unstructured, do func()) {
	ref, uid := object.RefOf(obj), obj.GetUID()
	time.AfterFunc(d, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.alive(ref, uid) {
			do()
		}
	})
}

func (c *Cluster) alive(ref object.Ref, uid types.UID) bool {
	key, err := c.key(ref)
	return err == nil && c.objects[key] != nil && c.objects[key].GetUID() == uid
}
