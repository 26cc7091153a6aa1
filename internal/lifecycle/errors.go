package lifecycle

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// Refused means that an operation ended before anything was touched: by what
// the user gave, or by what the cluster said. Err tells what.
type Refused struct{ Err error }

// Error is the cause's text.
func (e *Refused) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Refused) Unwrap() error { return e.Err }

// Failed means that a plan was run and did not reach its end.
type Failed struct {
	Operation plan.Operation
	Release   string
	// Cause is the first failure; nil when the run was interrupted between steps.
	Cause *engine.Failure
	// Further are the failures after the first, such as those of other tests.
	Further     []*engine.Failure
	Interrupted bool
	// Deadline is the limit for the whole operation, when that was what stopped it.
	Deadline time.Duration
	// Standing is the revision that was deployed before and still is, which a
	// rollback brings back; 0 where there is none.
	Standing int
	// Rollback tells what the automatic rollback came to.
	Rollback RollbackState
	// BackTo is the revision that a rollback brought back, BackAs the number
	// that it has now; 0 where a first install was removed instead.
	BackTo, BackAs int
	// RollbackErr is why the rollback failed.
	RollbackErr error
	// RecordErr is set when not even the failure could be recorded.
	RecordErr error
}

// RollbackState is what an automatic rollback came to.
type RollbackState int

// The states of an automatic rollback.
const (
	NoRollback RollbackState = iota
	RolledBack
	RollbackFailed
)

// Error is one or a few sentences: what failed, and where that left the release.
func (e *Failed) Error() string {
	text := fmt.Sprintf("%s of %s ", e.Operation, e.Release)
	switch {
	case e.Deadline > 0:
		text += fmt.Sprintf("was stopped at its deadline of %s", e.Deadline)
		if e.Cause != nil {
			text += ": " + e.Cause.Error()
		}
	case e.Cause != nil:
		text += "failed: " + e.Cause.Error()
	case e.Interrupted:
		text += "was interrupted"
	default:
		text += "failed"
	}
	if e.Rollback == RollbackFailed {
		text += fmt.Sprintf("; the rollback failed too: %v", e.RollbackErr)
	}
	if e.RecordErr != nil {
		text += fmt.Sprintf("; and the failure could not be recorded: %v", e.RecordErr)
	}
	return text
}

// Unwrap gives the step's failure, and why it could not be recorded.
func (e *Failed) Unwrap() []error {
	errs := []error{engine.ErrInterrupted}
	if e.Cause != nil {
		errs[0] = e.Cause
	}
	if e.RecordErr != nil {
		errs = append(errs, e.RecordErr)
	}
	return errs
}

// PendingError means that the latest revision says that an operation is under
// way, and nothing proves that its run is gone. Nothing was touched.
type PendingError struct {
	Operation plan.Operation
	Name      string
	Revision  int
	Status    release.Status
	// Since is when the record was last written; StaleAfter how long after
	// that it counts as dead.
	Since      time.Time
	StaleAfter time.Duration
	// Active are hooks of the revision that are at work.
	Active []object.Ref
}

// Error is one sentence.
func (e *PendingError) Error() string {
	text := fmt.Sprintf("%s of %s refused: revision %d is %s", e.Operation, e.Name, e.Revision, e.Status)
	if !e.Since.IsZero() {
		text += " since " + e.Since.Local().Format("2006-01-02 15:04:05")
	}
	for _, ref := range e.Active {
		text += fmt.Sprintf(", and its hook %s is at work", ref)
	}
	return text
}

// NoReleaseError means that nothing is recorded under that name.
type NoReleaseError struct{ Name, Namespace string }

// Error names the release and where it was looked for.
func (e *NoReleaseError) Error() string {
	return fmt.Sprintf("there is no release %s in namespace %s", e.Name, e.Namespace)
}

// Is makes errors.Is(err, release.ErrNotFound) hold.
func (e *NoReleaseError) Is(target error) bool { return target == release.ErrNotFound }

// NameTakenError means an install under a name that a release has already.
type NameTakenError struct {
	Name    string
	Problem diag.Problem
}

// Error is the problem in one line.
func (e *NameTakenError) Error() string { return e.Problem.Error() }

// Unwrap gives the problem.
func (e *NameTakenError) Unwrap() error { return e.Problem }

// NotDeployedError means an upgrade of a release that is not there, or is uninstalled.
type NotDeployedError struct {
	Name    string
	Problem diag.Problem
}

// Error is the problem in one line.
func (e *NotDeployedError) Error() string { return e.Problem.Error() }

// Unwrap gives the problem.
func (e *NotDeployedError) Unwrap() error { return e.Problem }

// IrreversibleError means that an automatic rollback was refused: it would go
// back past a hook that cannot be undone.
type IrreversibleError struct{ Hook, Release string }

// Error says why, and what to do instead.
func (e *IrreversibleError) Error() string {
	return fmt.Sprintf("it was refused: %s has succeeded and is marked %s, so the revision before would meet what it has changed; "+
		"put the cause right and upgrade again, or, knowing this, use `pintle rollback %s`", e.Hook, release.IrreversibleAnnotation, e.Release)
}
