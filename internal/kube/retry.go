package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// fault says what a failed attempt means for trying again.
type fault int

const (
	// final: the answer will not change.
	final fault = iota
	// unsent: the request surely did nothing, so any verb may be repeated.
	unsent
	// uncertain: the server may have acted; only what is repeatable is repeated.
	uncertain
)

const (
	firstPause = 100 * time.Millisecond
	longest    = 5 * time.Second
	// firstContact is how long a server that never answered is tried.
	firstContact = 3 * time.Second
	// leastTries is how often a request is sent at least, however long it hung
	// each time: one connection that has gone dead may use up all of the time.
	leastTries = 3
)

// tries counts the attempts of one request and paces them.
type tries struct {
	client  *Client
	request request
	started time.Time
	pause   time.Duration
	failed  int
	renewed bool
	// lost tells that an attempt may have done its work although no answer came.
	lost bool
}

func (c *Client) newTries(r request) *tries {
	return &tries{client: c, request: r, started: time.Now(), pause: firstPause}
}

// again waits until the request may be sent once more and returns nil, or
// returns the error to give up with.
func (t *tries) again(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return interrupted(ctx, err)
	}
	kind, after := judge(err)
	if t.request.contentType == asApply && isStale(err) {
		kind = uncertain
	}
	if t.client.renewable && !t.renewed && apierrors.IsUnauthorized(err) {
		t.renewed = true // client-go has asked the plugin for new credentials by now
		return nil
	}
	t.lost = t.lost || kind == uncertain
	if kind == final || kind == uncertain && !t.request.repeatable() {
		return err
	}
	limit, reached := t.client.retryFor, t.client.reached.Load()
	if !reached {
		limit = min(limit, firstContact)
	}
	wait := max(after, jitter(t.pause))
	t.pause = min(2*t.pause, longest)
	t.failed++
	hung := reached && time.Since(t.started) > limit && t.failed < leastTries
	if time.Since(t.started)+wait > limit && !hung {
		return err
	}
	return sleep(ctx, wait, err)
}

// pauseAfter is how long to wait after an error before the next attempt: what
// the server asked for, where that is more than our own pause.
func (c *Client) pauseAfter(err error, own time.Duration) time.Duration {
	own = jitter(own)
	if err == nil {
		return own
	}
	_, after := judge(err)
	return max(own, min(after, c.retryFor))
}

// sleep waits, or returns why it could not, with the error of the last attempt.
func sleep(ctx context.Context, d time.Duration, last error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return interrupted(ctx, last)
	}
}

func interrupted(ctx context.Context, last error) error {
	cause := context.Cause(ctx)
	if last == nil || errors.Is(last, ctx.Err()) {
		return cause
	}
	return fmt.Errorf("%w (last answer: %w)", cause, last)
}

// jitter spreads a pause over half to one and a half of it.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d)
}

// judge says what an error means and how long the server asked to wait.
func judge(err error) (fault, time.Duration) {
	var answered apierrors.APIStatus
	if errors.As(err, &answered) {
		kind, after := judgeStatus(err, answered.Status())
		var cut *cutOffError
		if kind == final && errors.As(err, &cut) {
			kind = judgeCutOff(answered.Status())
		}
		return kind, after
	}
	switch {
	case isTrust(err):
		return final, 0
	case neverSent(err):
		return unsent, 0
	case isNetwork(err):
		return uncertain, 0
	default:
		return final, 0
	}
}

func judgeStatus(err error, s metav1.Status) (fault, time.Duration) {
	var after time.Duration
	if s.Details != nil {
		after = time.Duration(s.Details.RetryAfterSeconds) * time.Second
	}
	switch int(s.Code) {
	case http.StatusTooManyRequests:
		return unsent, after
	case http.StatusServiceUnavailable:
		if after > 0 { // the API server turned it away before handling it
			return unsent, after
		}
		return uncertain, after
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return uncertain, after
	case http.StatusInternalServerError:
		// With a Retry-After the server itself calls it passing. Without one it is
		// most often a webhook's refusal, which stays.
		if after > 0 || apierrors.IsServerTimeout(err) || strings.Contains(s.Message, "etcdserver: ") {
			return uncertain, after
		}
	}
	return final, 0
}

// judgeCutOff is for an answer whose reason was lost on the way. A refusal has
// done nothing, so asking again only brings its reason.
func judgeCutOff(s metav1.Status) fault {
	if s.Code < http.StatusInternalServerError {
		return unsent
	}
	return uncertain
}

// isStale: the object changed while the API server worked on it. A conflict
// between field managers is another matter and stays.
func isStale(err error) bool {
	return apierrors.IsConflict(err) && !hasCause(err, metav1.CauseTypeFieldManagerConflict)
}

// neverSent: the connection did not come about.
func neverSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") {
		var dns *net.DNSError
		return !errors.As(err, &dns) || !dns.IsNotFound
	}
	return utilnet.IsConnectionRefused(err) || strings.Contains(err.Error(), "TLS handshake timeout")
}

// isNetwork: the connection broke under the request.
func isNetwork(err error) bool {
	return utilnet.IsProbableEOF(err) || utilnet.IsConnectionReset(err) || utilnet.IsHTTP2ConnectionLost(err) ||
		utilnet.IsTimeout(err) || errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "http2: ") ||
		strings.Contains(err.Error(), "stream error: ") || strings.Contains(err.Error(), "broken pipe")
}

// isTrust: the server is there and one side does not trust the other.
func isTrust(err error) bool {
	var (
		verify  *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &unknown) || errors.As(err, &host)
}

// isUnreachable: no API server answered at all.
func isUnreachable(err error) bool {
	var op *net.OpError
	return isTrust(err) || neverSent(err) || errors.As(err, &op) && op.Op == "dial" ||
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}
