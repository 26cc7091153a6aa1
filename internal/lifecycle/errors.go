package lifecycle

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
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
	Cause       *engine.Failure
	Interrupted bool
	// Deadline is the limit for the whole operation, when that was what stopped it.
	Deadline time.Duration
	// Rollback tells what the automatic rollback came to.
	Rollback RollbackState
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

// Unwrap gives the step's failure.
func (e *Failed) Unwrap() error {
	if e.Cause == nil {
		return engine.ErrInterrupted
	}
	return e.Cause
}

// PendingError means that the latest revision says that an operation is under
// way. Nothing was touched.
type PendingError struct {
	Operation plan.Operation
	Name      string
	Revision  int
	Status    release.Status
}

// Error is one sentence.
func (e *PendingError) Error() string {
	return fmt.Sprintf("%s of %s refused: revision %d is %s", e.Operation, e.Name, e.Revision, e.Status)
}

// NoReleaseError means that nothing is recorded under that name.
type NoReleaseError struct{ Name, Namespace string }

// Error names the release and where it was looked for.
func (e *NoReleaseError) Error() string {
	return fmt.Sprintf("there is no release %s in namespace %s", e.Name, e.Namespace)
}

// Is makes errors.Is(err, release.ErrNotFound) hold.
func (e *NoReleaseError) Is(target error) bool { return target == release.ErrNotFound }
