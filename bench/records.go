package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// record writes one revision, with the hints that pintle adds or, as Helm
// does, without.
func (b *bench) record(ctx context.Context, ns, name string, revision int, last, hints bool, size int) error {
	client, err := kube.Connect(kube.Options{Kubeconfig: b.kubeconfig, Namespace: ns})
	if err != nil {
		return err
	}
	status := release.Superseded
	if last {
		status = release.Deployed
	}
	now := time.Now()
	r := &release.Release{
		Name: name, Namespace: ns, Revision: revision, ApplyMethod: release.ServerSide,
		Chart:    json.RawMessage(`{"metadata":{"name":"bench","version":"1.0.0","appVersion":"1"},"values":{}}`),
		Manifest: "---\n# Source: bench/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {noise: " + noise(size*9/16) + "}\n",
		Info:     release.Info{FirstDeployed: now, LastDeployed: now, Description: "Upgrade complete", Status: status},
	}
	records := store.NewSecrets(client.Objects(), ns, time.Now)
	if err := records.Create(ctx, r); err != nil && !errors.Is(err, release.ErrExists) {
		return err
	}
	if hints {
		return nil
	}
	_, err = b.client.Resource(secrets).Namespace(ns).Patch(ctx, fmt.Sprintf("sh.helm.release.v1.%s.v%d", name, revision),
		types.MergePatchType, []byte(`{"metadata":{"annotations":null}}`), metav1.PatchOptions{})
	return err
}
