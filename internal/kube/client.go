// Package kube is the only code of Pintle that talks to a cluster: it
// connects, discovers what is served, reads and changes objects, watches
// them, follows logs and reads events. It decides nothing about releases and
// satisfies the interfaces that engine, store, lock and chart declare without
// importing them.
//
// Requests are made on untyped objects over the HTTP client that client-go
// builds from a kubeconfig (TLS, tokens, exec plugins, impersonation); paths,
// retries and decoding are this package's own, so that an object is decoded
// once and every verb is repeated exactly as far as its meaning allows.
package kube

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Client is one connection to one cluster. It is safe for concurrent use, and
// holds nothing that needs closing.
type Client struct {
	http      *http.Client
	base      *url.URL
	namespace string
	target    Target
	userAgent string
	retryFor  time.Duration
	limiter   *rate.Limiter
	warn      func(message string)
	exchanged func(Exchange)
	// renewable tells that credentials may change under us (exec plugins, token
	// files), so that one refusal for lack of them is worth a second try.
	renewable bool

	// reached is set with the first answer of any kind.
	reached atomic.Bool
	// ahead is by how many nanoseconds the server's clock is ahead of ours.
	ahead  atomic.Int64
	counts counter
	served served
	pods   podSights
}

// Target says which cluster is meant, in the user's own terms.
type Target struct {
	// Address is the API server's URL; empty when no configuration names one.
	Address string
	// Context is the kubeconfig's context; empty inside a cluster.
	Context string
}

// String is `https://host:port (context "name")`.
func (t Target) String() string {
	address := t.Address
	if address == "" {
		address = "no address"
	}
	if t.Context == "" {
		return address
	}
	return address + ` (context "` + t.Context + `")`
}

// Namespace is the namespace in force: that of Options, else that of the
// kubeconfig's context, else "default".
func (c *Client) Namespace() string { return c.namespace }

// Target says which cluster the client speaks to.
func (c *Client) Target() Target { return c.target }

// in gives the namespace to use for a namespaced object that names none.
func (c *Client) in(namespace string) string {
	if namespace == "" {
		return c.namespace
	}
	return namespace
}
