package main

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}

// pods of the chart whose readiness is to be noticed.
const probedPods = 5

// readiness measures the time from the last pod's readiness to the end of
// --wait. The floor is the cluster's own part in it: until the Deployment says
// that it is complete, as a bare program sees it that writes nothing.
func (b *bench) readiness(ctx context.Context) ([]row, error) {
	dir, err := b.chart(probed(probedPods))
	if err != nil {
		return nil, err
	}
	if err := b.furnish(ctx); err != nil {
		return nil, err
	}
	defer b.remove(ctx, "probed")
	r := newRow("readiness noticed", "from the last pod's Ready to the end of --wait")
	err = b.turns(ctx, append(b.peers(len(b.tools)), tool{name: floor}), b.rounds, func(at turn) error {
		if err := b.gone(ctx); err != nil {
			return err
		}
		watching, stop := context.WithCancel(ctx)
		defer stop()
		seen, err := b.watchFor(watching, pods, place, ready)
		if err != nil {
			return err
		}
		if at.tool.name == floor {
			return b.bareReadiness(ctx, r, at, seen)
		}
		s, err := b.timed(ctx, at.tool, "install", "probed", dir, "-n", place, "--wait")
		if err != nil {
			return err
		}
		s.Wall = time.Since(seen.last())
		r.add(at, s)
		_, err = b.timed(ctx, at.tool, "uninstall", "probed", "-n", place)
		return err
	})
	return measured([]*row{r}), err
}

// bareReadiness creates the chart's Deployment without any tool, and sees it
// complete.
func (b *bench) bareReadiness(ctx context.Context, r *row, at turn, seen *sightings) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w, err := b.client.Resource(deployments).Namespace(place).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=probed"})
	if err != nil {
		return err
	}
	defer w.Stop()
	if err := b.create(ctx, deployments, place, "probed", "Deployment", map[string]any{"spec": probedSpec(probedPods)}); err != nil {
		return err
	}
	for e := range w.ResultChan() {
		obj, ok := e.Object.(*unstructured.Unstructured)
		if !ok || !rolledOut(obj) {
			continue
		}
		r.add(at, sample{Wall: time.Since(seen.last())})
		policy := metav1.DeletePropagationBackground
		return b.client.Resource(deployments).Namespace(place).Delete(ctx, "probed", metav1.DeleteOptions{PropagationPolicy: &policy})
	}
	return errors.New("the watch ended before the Deployment was complete")
}

// rolledOut tells that a Deployment's own status says that all its pods are available.
func rolledOut(o *unstructured.Unstructured) bool {
	available, _, _ := unstructured.NestedInt64(o.Object, "status", "availableReplicas")
	updated, _, _ := unstructured.NestedInt64(o.Object, "status", "updatedReplicas")
	return available == probedPods && updated == probedPods
}

// probedSpec is that of the chart's Deployment.
func probedSpec(replicas int) map[string]any {
	return map[string]any{
		"replicas": int64(replicas), "selector": map[string]any{"matchLabels": map[string]any{"app": "probed"}},
		"template": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"app": "probed"}},
			"spec": map[string]any{"terminationGracePeriodSeconds": int64(0), "containers": []any{map[string]any{
				"name": "c", "image": "busybox:1.36", "command": []any{"sh", "-c", "sleep 1; touch /tmp/ready; exec sleep 3600"},
				"readinessProbe": map[string]any{"exec": map[string]any{"command": []any{"cat", "/tmp/ready"}}, "periodSeconds": int64(1)},
			}}},
		},
	}
}
