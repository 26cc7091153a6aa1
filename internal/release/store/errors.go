package store

import (
	"errors"
	"fmt"

	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// RecordError is a verb that failed on one record. Err is release.ErrNotFound,
// ErrExists or ErrConflict, a *release.DecodeError, or what the cluster said.
type RecordError struct {
	Name      string
	Namespace string
	Revision  int
	Err       error
}

// Error is one sentence.
func (e *RecordError) Error() string {
	record := fmt.Sprintf("revision %d of release %s in namespace %s", e.Revision, e.Name, e.Namespace)
	switch {
	case errors.Is(e.Err, release.ErrNotFound):
		return record + " is not recorded"
	case errors.Is(e.Err, release.ErrExists):
		return fmt.Sprintf("%s is recorded already, as %s%s.v%d: another run has taken that number, or another tool that name", record, namePrefix, e.Name, e.Revision)
	case errors.Is(e.Err, release.ErrConflict):
		return "the record of " + record + " was changed by another run in the meantime"
	default:
		return record + ": " + e.Err.Error()
	}
}

// Unwrap gives the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// fault puts what went wrong with one record into Pintle's words; what the
// cluster said stays in the chain where it says more.
func (s *Store) fault(name string, revision int, err error) error {
	switch {
	case isNotFound(err):
		err = release.ErrNotFound
	case apierrors.IsAlreadyExists(err):
		err = release.ErrExists
	case isConflict(err):
		err = release.ErrConflict
	}
	return &RecordError{Name: name, Namespace: s.namespace, Revision: revision, Err: err}
}

func isNotFound(err error) bool { return apierrors.IsNotFound(err) }

func isConflict(err error) bool { return apierrors.IsConflict(err) }

// refused reports whether the API server has said no, for another reason than
// that the object is there.
func refused(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && !apierrors.IsAlreadyExists(err)
}

// missingPlaceError is what keeps a record from being created where something else
// than the record is not there: the namespace.
type missingPlaceError struct{ err error }

func (e missingPlaceError) Error() string { return e.err.Error() }

// notYetThere marks "not found" in answer to a create, which is not about the record.
func notYetThere(err error) error {
	if isNotFound(err) {
		return missingPlaceError{err}
	}
	return err
}
