package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// immutable are the kinds with fields that the API server refuses to change.
// Only their changed objects are asked about before anything is applied.
var immutable = map[schema.GroupKind]bool{
	{Group: "batch", Kind: "Job"}:                                     true,
	{Group: "apps", Kind: "StatefulSet"}:                              true,
	{Group: "apps", Kind: "Deployment"}:                               true,
	{Group: "apps", Kind: "DaemonSet"}:                                true,
	{Kind: "Pod"}:                                                     true,
	{Kind: "PersistentVolumeClaim"}:                                   true,
	{Kind: "PersistentVolume"}:                                        true,
	{Kind: "Service"}:                                                 true,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:         true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:  true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                   true,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                      true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:               true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                true,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: true,
}

// RecreateOptions say which objects may be made anew where a change is refused.
type RecreateOptions struct {
	// Objects are "Kind/name", in any case.
	Objects []string
	// All does it for every object (--force-replace).
	All bool
}

// checkImmutable asks the API server about every changed object that has
// fields which cannot be changed, and settles for each refusal whether the
// object is made anew or the operation is refused.
func (r *reader) checkImmutable(ctx context.Context, s *Service, in *plan.Inputs, opts RecreateOptions) error {
	var mu sync.Mutex
	in.Recreate = map[object.Key]plan.Recreation{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, s.Engine.Parallel))
	for _, w := range in.Wanted {
		live := in.Live[w.Ref().Key()]
		if live == nil || !mayRefuse(live) || plan.UpToDate(w.Object, live) {
			continue
		}
		group.Go(func() error {
			force := true // conflicts are not the question here
			_, err := s.Cluster.Apply(ctx, w.Object, metav1.PatchOptions{FieldManager: plan.FieldManager, Force: &force, DryRun: []string{metav1.DryRunAll}})
			field, refused := immutableField(err)
			if !refused {
				return nil // any other refusal is told, with its own words, when it is applied
			}
			mu.Lock()
			defer mu.Unlock()
			if how := recreation(w, opts); how != "" {
				in.Recreate[w.Ref().Key()] = how
				return nil
			}
			r.problems.Add(diag.Problem{
				Summary: fmt.Sprintf("%s cannot be changed in place: %s", w.Ref(), field),
				Detail: fmt.Sprintf("to have it deleted and created anew, use --recreate=%s, or annotate it with %s: recreate",
					w.Ref().Short(), release.OnImmutableAnnotation),
				File: w.Source, Line: w.Line, Rendered: true,
			})
			return nil
		})
	}
	return group.Wait()
}

// mayRefuse leaves out ConfigMaps that are not marked immutable: asking for
// each costs a request. A Secret's type never changes, marked or not.
func mayRefuse(live *unstructured.Unstructured) bool {
	ref := object.RefOf(live)
	if ref.Is("", "Secret") || ref.Is("", "ConfigMap") {
		frozen, _, _ := unstructured.NestedBool(live.Object, "immutable")
		return frozen || ref.Kind == "Secret"
	}
	return immutable[ref.GVK().GroupKind()]
}

// immutableField reads from a refusal which field cannot be changed.
func immutableField(err error) (string, bool) {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return "", false
	}
	for _, c := range status.Status().Details.Causes {
		text := strings.ToLower(c.Message)
		if strings.Contains(text, "immutable") || strings.Contains(text, "forbidden: updates to") ||
			strings.Contains(text, "may not change") || strings.Contains(text, "cannot change") || strings.Contains(text, "not be changed") {
			return fmt.Sprintf("%s: %s", c.Field, c.Message), true
		}
	}
	return "", false
}

func recreation(w object.Parsed, opts RecreateOptions) plan.Recreation {
	switch how := object.Annotations(w.Object)[release.OnImmutableAnnotation]; how {
	case string(plan.Recreate), string(plan.RecreateOrphan):
		return plan.Recreation(how)
	}
	for _, o := range opts.Objects {
		if strings.EqualFold(o, w.Ref().Short()) {
			return plan.Recreate
		}
	}
	if opts.All {
		return plan.Recreate
	}
	return ""
}
