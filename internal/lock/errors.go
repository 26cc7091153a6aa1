package lock

import (
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrNoNamespace means that the namespace of the lock does not exist yet.
var ErrNoNamespace = errors.New("the namespace of the lock does not exist")

// DeniedError means that we may not use Leases in the namespace.
type DeniedError struct {
	Namespace string
	Err       error
}

// Error names the right that is missing.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("no permission to lock releases in namespace %s with a Lease: %v", e.Namespace, e.Err)
}

// Unwrap gives what the API server said.
func (e *DeniedError) Unwrap() error { return e.Err }

// BusyError means that another run holds the lock.
type BusyError struct {
	State State
	// Renewed tells that the holder was seen to be at work; otherwise it gave
	// no sign of life for as long as we have Waited.
	Renewed bool
	Waited  time.Duration
	// Now is the time of the refusal.
	Now time.Time
}

// Error says who holds the lock, since when, and doing what.
func (e *BusyError) Error() string {
	return fmt.Sprintf("release %s is locked: %s", e.State.Release, Describe(e.State, e.Now))
}

// Describe is a holder and its work in one clause: "anna@ci-7, process 4711, is
// running upgrade to revision 4 since 15:04:05 (2m10s)".
func Describe(s State, now time.Time) string {
	text := s.Holder.String() + " is running "
	if text += s.Intent.Operation; s.Intent.Operation == "" {
		text += "an operation"
	}
	if s.Intent.Revision > 0 {
		text += fmt.Sprintf(", revision %d,", s.Intent.Revision)
	}
	if !s.Since.IsZero() {
		text += " since " + s.Since.Local().Format("2006-01-02 15:04:05")
		if d := now.Sub(s.Since).Round(time.Second); d >= 0 {
			text += fmt.Sprintf(" (%s)", d)
		}
	}
	return text
}

// LostError means that a holder must not change anything any more: another
// run has taken the lock, or the API server has not confirmed it for too long.
type LostError struct {
	Release string
	// By is the new holder; unknown when the lock could not be confirmed.
	By Holder
	// Err is why the lock could not be confirmed.
	Err error
}

// Error says what became of the lock.
func (e *LostError) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("the lock of release %s could not be renewed: %v", e.Release, e.Err)
	case e.By.Known():
		return fmt.Sprintf("the lock of release %s was taken over by %s", e.Release, e.By)
	}
	return fmt.Sprintf("the lock of release %s was taken away", e.Release)
}

// Unwrap gives what the API server said.
func (e *LostError) Unwrap() error { return e.Err }

// terminating tells that the namespace is going away.
func terminating(err error) bool {
	return apierrors.HasStatusCause(err, metav1.CauseType("NamespaceTerminating"))
}
