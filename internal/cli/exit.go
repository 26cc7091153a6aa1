package cli

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store/postgres"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// The exit codes, which are a promise to scripts.
const (
	exitDone = 0
	// exitFailed is every reason that has no code of its own, among them a
	// cluster that cannot be reached and a release that is not there.
	exitFailed = 1
	// exitUsage is a wrong flag or argument.
	exitUsage = 2
	// exitHook is a failed hook, exitTest a failed test.
	exitHook = 3
	exitTest = 4
	// exitNotReady is a wait that failed or timed out.
	exitNotReady = 5
	// exitLocked is another operation on the same release.
	exitLocked = 6
	// exitRefused means that nothing was touched: something is wrong with the
	// chart, the values, annotations, ownership or permissions.
	exitRefused = 7
	// exitRolledBack is a failure after which the release is back where it was,
	// exitRollbackFailed one after which it is not.
	exitRolledBack     = 8
	exitRollbackFailed = 9
	// exitInterrupted is SIGINT and exitTerminated SIGTERM or SIGHUP, whatever
	// came of the operation.
	exitInterrupted = 130
	exitTerminated  = 143
)

// usageError is a command line that makes no sense.
type usageError struct{ err error }

// Error is one sentence.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *usageError) Unwrap() error { return e.err }

func asUsage(err error) error { return &usageError{err} }

// exitCode is the one place where errors become exit codes. sig is the signal
// that was caught, if any.
func exitCode(err error, sig os.Signal) int {
	var foreign *pluginError
	var usage *usageError
	var failed *lifecycle.Failed
	var pending *lifecycle.PendingError
	var busy *lock.BusyError
	var lost *lock.LostError
	var untested *lifecycle.UntestedError
	var late *lifecycle.LateError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &foreign):
		return foreign.code
	case errors.As(err, &busy), errors.As(err, &lost):
		return exitLocked
	case interrupted(err):
		return signalCode(sig)
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &failed):
		return failedCode(failed)
	case errors.As(err, &pending):
		return exitLocked
	case errors.As(err, &untested), errors.As(err, &late) && late.Operation == plan.Test:
		return exitTest
	case errors.As(err, &late):
		return exitFailed
	case refused(err):
		return exitRefused
	}
	return exitFailed
}

func interrupted(err error) bool {
	var failed *lifecycle.Failed
	if errors.As(err, &failed) {
		return failed.Interrupted // a deadline stops in the same way, and is no interruption
	}
	return errors.Is(err, engine.ErrInterrupted) || errors.Is(err, context.Canceled)
}

func signalCode(sig os.Signal) int {
	if sig == syscall.SIGTERM || sig == syscall.SIGHUP {
		return exitTerminated
	}
	return exitInterrupted
}

func failedCode(f *lifecycle.Failed) int {
	switch f.Rollback {
	case lifecycle.RolledBack:
		return exitRolledBack
	case lifecycle.RollbackFailed:
		return exitRollbackFailed
	}
	if f.Cause == nil {
		if f.Operation == plan.Test {
			return exitTest // its time was over before all had run
		}
		return exitFailed
	}
	var hook *engine.HookError
	var wait *engine.NotReadyError
	var orphans *engine.OrphansError
	switch {
	case errors.As(f.Cause, &hook) && hook.Run.Event == release.Test:
		return exitTest
	case errors.As(f.Cause, &hook):
		return exitHook
	case errors.As(f.Cause, &wait), errors.As(f.Cause, &orphans):
		return exitNotReady
	}
	return exitFailed
}

// refused tells errors that mean that nothing was touched. A cluster that does
// not answer is none of them: nobody refused anything.
func refused(err error) bool {
	var unreachable *kube.UnreachableError
	if errors.As(err, &unreachable) {
		return false
	}
	var r *lifecycle.Refused
	var database *postgres.Error
	return errors.As(err, &database) || errors.As(err, &r) || diag.Problems(err) != nil || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}
