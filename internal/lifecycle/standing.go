package lifecycle

import (
	"context"
	"time"

	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// task is an operation that gathers, plans and runs once, with nothing to do
// after a failure but to tell of it.
type task struct {
	release string
	op      plan.Operation
	dry     DryRunMode
	// deadline bounds the whole; 0 means none.
	deadline time.Duration
	// gather works on the service that holds the lock.
	gather func(ctx context.Context, s *Service) (*plan.Plan, plan.Inputs, error)
}

// perform does a task as the only one at work on its release.
func (s *Service) perform(ctx context.Context, t task) (*Outcome, error) {
	return s.within(t.deadline, t.op, t.release, func(s *Service) (*Outcome, error) { return s.performBounded(ctx, t) })
}

func (s *Service) performBounded(ctx context.Context, t task) (*Outcome, error) {
	return s.exclusively(ctx, t.release, t.op, t.dry, func(s *Service) (*Outcome, error) {
		var p *plan.Plan
		var in plan.Inputs
		if err := s.gathering(ctx, func(ctx context.Context) (err error) {
			defer s.phase("gather")()
			p, in, err = t.gather(ctx, s)
			return err
		}); err != nil {
			return nil, err
		}
		return s.carryOut(ctx, p, in, t.dry)
	})
}

// standing is the history of a release that must exist, with what dead runs
// have left open closed. Its error is a *NoReleaseError where there is none.
func (s *Service) standing(ctx context.Context, name, namespace string, op plan.Operation) (*history, error) {
	h, err := s.history(ctx, name)
	if err != nil {
		return nil, err
	}
	if h.last() == nil {
		return nil, &NoReleaseError{Name: name, Namespace: namespace}
	}
	return h, s.bury(ctx, h, op)
}

// recorded reads one revision of a release, and gives the reader that turns
// records of it into what they hold.
func (s *Service) recorded(ctx context.Context, h *history, namespace string, revision int) (*release.Release, *reader, error) {
	rec, err := h.get(ctx, revision)
	if err != nil {
		return nil, nil, err
	}
	catalog, _, err := s.discovery.wait(ctx)
	if err != nil {
		return nil, nil, err
	}
	return rec, &reader{release: h.name, namespace: namespace, catalog: catalog}, nil
}
