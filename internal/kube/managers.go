package kube

import (
	"context"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
)

// FieldManager is the name under which Helm and Pintle apply.
const FieldManager = "helm"

// clientSide are the managers that leave "Update" entries behind when a
// release or a person applied the object from the client's side.
func clientSide() sets.Set[string] {
	return sets.New(FieldManager, "kubectl-client-side-apply", "kubectl-create")
}

// MigrateManagers turns the managedFields entries that client-side applies of
// Helm 3 and kubectl left on the live object into server-side ones of our
// own, so that the next Apply neither conflicts with them nor leaves behind
// fields that the chart has dropped. It makes no request where there is
// nothing to migrate. live is not changed.
func (c *Client) MigrateManagers(ctx context.Context, live *unstructured.Unstructured) error {
	ref := object.RefOf(live)
	const attempts = 5
	for i := 1; ; i++ {
		patch, err := migration(live)
		if patch == nil || err != nil {
			return err
		}
		if err = c.patchJSON(ctx, ref, patch); err == nil || !apierrors.IsConflict(err) || i == attempts {
			return err
		}
		if live, err = c.Get(ctx, ref); err != nil {
			return err
		}
	}
}

// migration is the JSON patch that migrates, nil when nothing is to be done.
func migration(live *unstructured.Unstructured) ([]byte, error) {
	if !needsMigration(live.GetManagedFields()) {
		return nil, nil
	}
	return csaupgrade.UpgradeManagedFieldsPatch(live.DeepCopy(), clientSide(), FieldManager)
}

func needsMigration(entries []metav1.ManagedFieldsEntry) bool {
	managers := clientSide()
	for _, e := range entries {
		if e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == "" && managers.Has(e.Manager) {
			return true
		}
	}
	return false
}

func (c *Client) patchJSON(ctx context.Context, ref object.Ref, patch []byte) error {
	p, err := c.locate(ctx, ref, false)
	if err != nil {
		return c.refused("patch", ref, err)
	}
	_, err = c.do(ctx, request{
		verb: "patch", path: p.path(ref.Name), contentType: string(types.JSONPatchType), body: patch, ref: ref,
		query: map[string][]string{"fieldManager": {FieldManager}},
	})
	return err
}
