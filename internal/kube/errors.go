package kube

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// UnreachableError means that no API server answered: wrong or missing
// configuration, nothing listening, a certificate that does not fit.
type UnreachableError struct {
	Target Target
	Err    error
}

// Error names address and context, so that a wrong one is seen at once.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no cluster reachable at %s: %v", e.Target, e.Err)
}

// Unwrap gives what went wrong on the way.
func (e *UnreachableError) Unwrap() error { return e.Err }

// IsUnknownKind reports whether an error means that the cluster does not
// serve the kind.
func IsUnknownKind(err error) bool { return meta.IsNoMatchError(err) }

func unknownKind(gvk schema.GroupVersionKind) error {
	return &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
}

// refused wraps an error so that it names verb and object. The text of
// url.Error repeats method and URL, which help nobody: only its cause is kept.
func (c *Client) refused(verb string, ref object.Ref, err error) error {
	var answered apierrors.APIStatus
	var named *object.RequestError
	if errors.As(err, &named) {
		return err
	}
	if !errors.As(err, &answered) && isUnreachable(err) {
		err = &UnreachableError{Target: c.target, Err: err}
	}
	return &object.RequestError{Verb: verb, Ref: ref, Err: err}
}

func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// pathNotServed tells the 404 of a path that the API server does not know
// from that of an object which is not there.
func pathNotServed(err error) bool {
	var answered apierrors.APIStatus
	if !errors.As(err, &answered) || answered.Status().Code != 404 {
		return false
	}
	details := answered.Status().Details
	return details == nil || details.Name == "" || hasCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// hasCause reports whether a status carries a cause of that type.
func hasCause(err error, cause metav1.CauseType) bool {
	var answered apierrors.APIStatus
	if !errors.As(err, &answered) || answered.Status().Details == nil {
		return false
	}
	for _, c := range answered.Status().Details.Causes {
		if c.Type == cause {
			return true
		}
	}
	return false
}
