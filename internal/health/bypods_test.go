package health

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const almostDeployed = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, uid: d, generation: 3, annotations: {deployment.kubernetes.io/revision: "2"}}
spec: {replicas: 2}
status: {observedGeneration: 3, replicas: 2, updatedReplicas: 2, readyReplicas: 1, unavailableReplicas: 1}
`

const newReplicaSet = `
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-2, uid: new, annotations: {deployment.kubernetes.io/revision: "2"}, ownerReferences: [{kind: Deployment, uid: d, controller: true}]}
spec: {replicas: 2}
`

const readyPod = `
apiVersion: v1
kind: Pod
metadata: {name: web-2-a, uid: a, ownerReferences: [{kind: ReplicaSet, uid: new, controller: true}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
`

func TestReadyByPods(t *testing.T) {
	another := strings.NewReplacer("web-2-a", "web-2-b", "uid: a", "uid: b").Replace(readyPod)
	old := strings.NewReplacer("web-2", "web-1", "uid: new", "uid: old", `revision: "2"`, `revision: "1"`).Replace(newReplicaSet)
	change := func(text, from, to string) string {
		if !strings.Contains(text, from) {
			t.Fatalf("%q is not in the object", from)
		}
		return strings.Replace(text, from, to, 1)
	}
	cases := map[string]struct {
		deployment string
		around     []string
		want       bool
	}{
		"all pods are ready":                   {almostDeployed, []string{newReplicaSet, readyPod, another}, true},
		"beside an old ReplicaSet":             {almostDeployed, []string{newReplicaSet, old, readyPod, another}, true},
		"one pod is missing":                   {almostDeployed, []string{newReplicaSet, readyPod}, false},
		"one pod is not ready":                 {almostDeployed, []string{newReplicaSet, readyPod, change(another, "True", "False")}, false},
		"one pod is on its way out":            {almostDeployed, []string{newReplicaSet, readyPod, change(another, "uid: b", "uid: b, deletionTimestamp: 2026-11-28T12:00:00Z")}, false},
		"there is one pod too many":            {change(almostDeployed, "spec: {replicas: 2}", "spec: {replicas: 1}"), []string{newReplicaSet, readyPod, another}, false},
		"old pods are still there":             {change(almostDeployed, "replicas: 2, updatedReplicas: 2", "replicas: 3, updatedReplicas: 2"), []string{newReplicaSet, readyPod, another}, false},
		"not all pods are new":                 {change(almostDeployed, "updatedReplicas: 2", "updatedReplicas: 1"), []string{newReplicaSet, readyPod, another}, false},
		"the spec was not taken up":            {change(almostDeployed, "generation: 3", "generation: 4"), []string{newReplicaSet, readyPod, another}, false},
		"the controller has not said anything": {change(almostDeployed, "observedGeneration: 3, ", ""), []string{newReplicaSet, readyPod, another}, false},
		"time decides":                         {change(almostDeployed, "spec: {", "spec: {minReadySeconds: 10, "), []string{newReplicaSet, readyPod, another}, false},
		"its deadline has passed": {
			change(almostDeployed, "status: {", "status: {conditions: [{type: Progressing, status: \"False\", reason: ProgressDeadlineExceeded}], "),
			[]string{newReplicaSet, readyPod, another}, false,
		},
		"it is on its way out": {change(almostDeployed, "uid: d", "uid: d, deletionTimestamp: 2026-11-28T12:00:00Z"), []string{newReplicaSet, readyPod, another}, false},
		"the new ReplicaSet was not seen yet": {
			almostDeployed, []string{old, change(readyPod, "uid: new", "uid: old"), change(another, "uid: new", "uid: old")}, false,
		},
		"the ReplicaSet is older than the scale": {almostDeployed, []string{change(newReplicaSet, "spec: {replicas: 2}", "spec: {replicas: 1}"), readyPod, another}, false},
		"nothing but it is known":                {almostDeployed, nil, false},
		"it has no revision": {
			change(almostDeployed, `deployment.kubernetes.io/revision: "2"`, ""),
			[]string{change(newReplicaSet, `deployment.kubernetes.io/revision: "2"`, ""), readyPod, another}, false,
		},
		"it is another kind": {change(almostDeployed, "kind: Deployment", "kind: StatefulSet"), []string{newReplicaSet, readyPod, another}, false},
	}
	for name, c := range cases {
		related := Related{}
		for _, text := range c.around {
			related.Objects = append(related.Objects, parse(t, text))
		}
		if got := ReadyByPods(parse(t, c.deployment), related); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	fewer := change(almostDeployed, "readyReplicas: 1", "readyReplicas: 0")
	if now, before := parse(t, fewer), parse(t, almostDeployed); !FewerReady(before, now) || FewerReady(now, before) || FewerReady(before, before) {
		t.Error("a ready pod that was lost is not seen, or one is that was not")
	}
	if FewerReady(parse(t, change(almostDeployed, "replicas: 2, updatedReplicas", "replicas: 3, updatedReplicas")), parse(t, fewer)) {
		t.Error("an old pod that went counts as lost")
	}
	if related := (Related{Objects: []*unstructured.Unstructured{parse(t, newReplicaSet)}}); ReadyByPods(parse(t, change(almostDeployed, "replicas: 2}", "replicas: 0}")), related) {
		t.Error("one without pods is judged by its status alone")
	}
}
