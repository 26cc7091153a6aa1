package source

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
)

func badURL(address string, err error) error {
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err // the whole repeats the address, login included
	}
	return diag.Problem{Summary: fmt.Sprintf("%q is not a URL", withoutLogin(address)), Detail: err.Error()}
}

// withoutLogin masks the login of an address that cannot be parsed, whose
// password may hold anything: up to the last @ it may be one.
func withoutLogin(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = "***" + rest[at:]
	}
	return scheme + "://" + rest
}

func (c *Client) noGetter(u *url.URL) error {
	return diag.Problem{
		Summary: fmt.Sprintf("%s: nothing here fetches from %s://", maskURL(u), u.Scheme),
		Detail: fmt.Sprintf("http, https and oci are built in; there is no getter plugin for %s in %s (plugins are installed with `helm plugin install`)",
			u.Scheme, strings.Join(c.PluginFolders, ", ")),
	}
}

// unreachable explains why there was no answer, or only half of one.
func unreachable(u *url.URL, f fetching, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	p := diag.Problem{Summary: u.Host + " cannot be reached", Detail: fmt.Sprintf("fetching %s from %s: %s", f.what, maskURL(u), maskedError(err))}
	var large *tooLargeError
	var record tls.RecordHeaderError
	switch why := tlsTrouble(err); {
	case errors.As(err, &large):
		p.Summary = fmt.Sprintf("%s that %s sends is too large", f.what, u.Host)
	case why != "":
		p.Summary = fmt.Sprintf("the connection with %s is not secure", u.Host)
		p.Detail += "\n" + why
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		p.Summary = u.Host + " speaks plain HTTP"
		p.Detail = "it answered without TLS: use http:// in its URL"
		if f.scheme() == ociScheme {
			p.Detail = "it answered without TLS: if that is right, say --plain-http"
		}
	case timedOut(err):
		p.Summary = u.Host + " did not answer in time"
	}
	return p
}

func (f fetching) scheme() string {
	scheme, _, _ := strings.Cut(f.url, "://")
	return scheme
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// maskedError is an error without the login that a URL in it may hold.
func maskedError(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err.Error()
	}
	return err.Error()
}

func isTLS(err error) bool { return tlsTrouble(err) != "" }

// tlsTrouble says what to do about a certificate; empty for other trouble.
func tlsTrouble(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var failed *tls.CertificateVerificationError
	var alert tls.AlertError
	switch {
	case errors.As(err, &unknown):
		return "if you trust its certificate authority, name its file with --ca-file; --insecure-skip-tls-verify checks nothing"
	case errors.As(err, &host):
		return "its certificate is for another name: use that name, or have the certificate changed"
	case errors.As(err, &invalid):
		return "its certificate is not valid (now): have it renewed"
	case errors.As(err, &failed):
		return "its certificate cannot be verified"
	case errors.As(err, &alert) || strings.Contains(err.Error(), "remote error: tls:"):
		return "it may want a certificate of ours: name it with --cert-file and --key-file"
	}
	return ""
}

// refusal is an answer other than what was asked for.
type refusal struct {
	asked    *url.URL
	answered *url.URL
	status   int
	what     string
	// login tells that a login was sent, withheld that one was given for
	// another host and was not sent.
	login, withheld bool
	// registry is the host and port of the registry that was asked, where it was
	// one: what answered may be the server that gives tokens for it.
	registry string
}

func (r refusal) problem() error {
	host := cmp.Or(r.registry, r.asked.Host)
	answer := fmt.Sprintf("%s answered %d %s", maskURL(r.asked), r.status, http.StatusText(r.status))
	if r.answered != nil && r.answered.Host != r.asked.Host {
		answer = fmt.Sprintf("%s was redirected to %s, which answered %d %s", maskURL(r.asked), maskURL(r.answered), r.status, http.StatusText(r.status))
		host = r.answered.Host
	}
	p := diag.Problem{Detail: answer}
	switch r.status {
	case http.StatusUnauthorized:
		p.Summary = host + " wants a login"
		switch {
		case r.withheld:
			p.Detail += "\nthe login that was given is for another host and was not sent; --pass-credentials sends it everywhere"
		case r.login && (r.registry != "" || host == r.asked.Host):
			p.Summary = host + " does not accept the login"
			p.Detail += "\ncheck the user name and the password"
		case r.registry != "":
			p.Detail += "\nlog in with `pintle registry login " + host + "`, or give --username and --password"
		default:
			p.Detail += "\ngive --username and --password, or add the repository with them (`pintle repo add`)"
		}
	case http.StatusForbidden:
		p.Summary = fmt.Sprintf("%s refuses %s", host, r.what)
	case http.StatusNotFound, http.StatusGone:
		p.Summary = fmt.Sprintf("%s does not have %s", host, r.what)
	default:
		p.Summary = fmt.Sprintf("%s did not give %s", host, r.what)
		if passing(r.status) {
			p.Detail += fmt.Sprintf(" (asked %d times)", attempts)
		}
	}
	return p
}
