package object

import "fmt"

// RequestError is a request that the cluster refused or did not answer. Err
// keeps the API server's own error, so that errors.As and apimachinery's
// errors.IsNotFound and the like see through it.
type RequestError struct {
	// Verb is what was asked, in Kubernetes' words: get, list, watch, create, patch, update, delete.
	Verb string
	Ref  Ref
	Err  error
}

// Error is "verb Kind/namespace/name: the API server's sentence".
func (e *RequestError) Error() string {
	return fmt.Sprintf("%s %s: %v", e.Verb, e.Ref, e.Err)
}

// Unwrap gives the API server's error.
func (e *RequestError) Unwrap() error { return e.Err }
