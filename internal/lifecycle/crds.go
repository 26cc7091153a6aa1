package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// checkCRDs compares the chart's crds/ folder with the cluster: what differs
// and is not going to be applied is told, and an update that would lose data
// is an error.
func (d *deployment) checkCRDs(ctx context.Context, r *reader, in plan.Inputs) error {
	for _, crd := range in.CRDs {
		live := in.Live[crd.Ref().Key()]
		if live == nil || plan.Holds(live, crd.Object) {
			continue
		}
		if in.Options.CRDs != plan.UpdateCRDs {
			r.problems.Add(diag.Problem{
				Severity: diag.Warning, File: crd.Source, Line: crd.Line,
				Summary: fmt.Sprintf("%s differs from the cluster's and is not changed", crd.Ref()),
				Detail:  "to apply the chart's, use --crds=update",
			})
			continue
		}
		if loss := crdLoss(live, crd.Object); loss != "" {
			count, err := d.countObjects(ctx, live)
			if err != nil {
				return err
			}
			r.problems.Add(diag.Problem{
				File: crd.Source, Line: crd.Line,
				Summary: fmt.Sprintf("%s cannot be updated: %s", crd.Ref(), loss),
				Detail:  fmt.Sprintf("%d objects of the kind exist", count),
			})
		}
	}
	return nil
}

// crdLoss says what an update would take away that cannot be given back: the
// scope, or a version in which objects are stored. Empty when nothing is.
func crdLoss(live, wanted *unstructured.Unstructured) string {
	scope := func(u *unstructured.Unstructured) string {
		s, _, _ := unstructured.NestedString(u.Object, "spec", "scope")
		return s
	}
	if scope(live) != scope(wanted) {
		return fmt.Sprintf("its scope would change from %s to %s", scope(live), scope(wanted))
	}
	stored, _, _ := unstructured.NestedStringSlice(live.Object, "status", "storedVersions")
	var kept, lost []string
	versions, _, _ := unstructured.NestedSlice(wanted.Object, "spec", "versions")
	for _, v := range versions {
		m, _ := v.(map[string]any)
		kept = append(kept, fmt.Sprint(m["name"]))
	}
	for _, v := range stored {
		if !slices.Contains(kept, v) {
			lost = append(lost, v)
		}
	}
	if len(lost) > 0 {
		return "objects are stored in version " + strings.Join(lost, ", ") + ", which the chart's has no more"
	}
	return ""
}

// countObjects counts the objects of the kind that a live CRD defines.
func (d *deployment) countObjects(ctx context.Context, crd *unstructured.Unstructured) (int, error) {
	served := bring([]object.Parsed{{Object: crd}})
	if len(served) == 0 {
		return 0, nil
	}
	// All versions show the same objects.
	gvk := served[0].GVK
	list, err := d.service.Cluster.Lookup(ctx, gvk.GroupVersion().String(), gvk.Kind, "", "")
	if err != nil {
		return 0, fmt.Errorf("counting the objects of %s: %w", crd.GetName(), err)
	}
	items, _ := list["items"].([]any)
	return len(items), nil
}
