package lifecycle

import (
	"context"

	"github.com/pintle-dev/pintle/internal/plan"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// rehearse asks the API server what it would say to every object of the plan,
// without changing anything. Objects of kinds, or in a namespace, that the
// plan itself is going to bring cannot be asked about.
func (s *Service) rehearse(ctx context.Context, p *plan.Plan) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, s.Engine.Parallel))
	for _, step := range p.Steps {
		if _, makes := step.Action.(plan.CreateNamespace); makes {
			return group.Wait()
		}
		group.Go(func() error { return s.ask(ctx, step) })
	}
	return group.Wait()
}

func (s *Service) ask(ctx context.Context, step plan.Step) error {
	var err error
	dry := []string{metav1.DryRunAll}
	switch a := step.Action.(type) {
	case plan.Apply:
		if a.Change == plan.Unchanged {
			return nil
		}
		_, err = s.Cluster.Apply(ctx, a.Object, metav1.PatchOptions{
			FieldManager: plan.FieldManager, Force: &a.Force, DryRun: dry, FieldValidation: strictness(a.Strict),
		})
	case plan.RunHook:
		_, err = s.Cluster.Create(ctx, a.Object, metav1.CreateOptions{
			FieldManager: plan.FieldManager, DryRun: dry, FieldValidation: strictness(a.Strict),
		})
		if apierrors.IsAlreadyExists(err) {
			return nil // what is there is dealt with when the hook runs
		}
	}
	if meta.IsNoMatchError(err) {
		return nil
	}
	return err
}

func strictness(strict bool) string {
	if strict {
		return metav1.FieldValidationStrict
	}
	return metav1.FieldValidationIgnore
}
