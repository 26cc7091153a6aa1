package lifecycle

import (
	"context"
	"errors"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// rehearse asks the API server what it would say to every object of the plan,
// without changing anything, and collects what it refuses. Objects of kinds, or
// in a namespace, that the plan itself is going to bring cannot be asked about.
func (s *Service) rehearse(ctx context.Context, p *plan.Plan) error {
	refusals := make([]diag.List, len(p.Steps))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, s.Engine.Parallel))
	for i, step := range p.Steps {
		if _, makes := step.Action.(plan.CreateNamespace); makes {
			break
		}
		group.Go(func() error {
			err := s.ask(ctx, step)
			if refusal, ok := refusalOf(step.Action, err); ok {
				refusals[i].Add(refusal)
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var problems diag.List
	for _, r := range refusals {
		problems.Add(r...)
	}
	return problems.Err()
}

// refusalOf words an answer which means that the object itself is wrong, with
// the template that rendered it.
func refusalOf(action plan.Action, err error) (diag.Problem, bool) {
	if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) && !apierrors.IsForbidden(err) {
		return diag.Problem{}, false
	}
	p := diag.Problem{Detail: err.Error()}
	var request *object.RequestError
	if errors.As(err, &request) {
		p.Detail = request.Err.Error()
	}
	switch a := action.(type) {
	case plan.Apply:
		p.Summary, p.File = "the API server refuses "+object.RefOf(a.Object).String(), a.Source
	case plan.RunHook:
		p.Summary, p.File = "the API server refuses the hook "+object.RefOf(a.Object).String(), a.Hook.Path
	}
	return p, true
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
