package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// attempts is how often a request is made whose failure may pass.
const attempts = 3

// longestPause is the longest that a server may ask us to wait.
const longestPause = 10 * time.Second

// courier carries requests: it ends them with its context, tries again what
// may pass, and takes no more of an answer than its limit. The context is in a
// field since those who make the requests (Helm's registry client) have none.
type courier struct {
	ctx    context.Context
	client *Client
	base   http.RoundTripper
	limit  int64
}

// RoundTrip makes a request, and again when it may help.
func (c *courier) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, end := c.joined(request.Context())
	pause := c.client.Pause
	if pause == 0 {
		pause = 500 * time.Millisecond
	}
	for n := 1; ; n++ {
		again := request.Clone(ctx)
		if n > 1 && request.GetBody != nil {
			body, err := request.GetBody()
			if err != nil {
				end()
				return nil, err
			}
			again.Body = body
		}
		if c.client.UserAgent != "" {
			again.Header.Set("User-Agent", c.client.UserAgent)
		}
		response, err := c.base.RoundTrip(again)
		c.client.debug(trace(request, response, err))
		if n == attempts || !mayPass(request, response, err) {
			if err != nil {
				end()
				return nil, err
			}
			if redirected(request) {
				// A login is for who was asked, not for whoever it sent us to.
				response.Header.Del("Www-Authenticate")
			}
			response.Body = &bounded{ReadCloser: response.Body, left: c.limit, limit: c.limit, end: end}
			return response, nil
		}
		if err := c.wait(ctx, response, pause); err != nil {
			end()
			return nil, err
		}
		pause *= 2
	}
}

// redirected tells requests that another host than the one we asked made us
// make.
func redirected(request *http.Request) bool {
	for r := request.Response; r != nil && r.Request != nil; r = r.Request.Response {
		if !sameOrigin(r.Request.URL, request.URL) {
			return true
		}
	}
	return false
}

// joined ends with either context.
func (c *courier) joined(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })
	return ctx, func() { stop(); cancel(context.Canceled) }
}

func (c *courier) wait(ctx context.Context, response *http.Response, pause time.Duration) error {
	if response != nil {
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds >= 0 {
			pause = min(time.Duration(seconds)*time.Second, longestPause)
		}
		_ = response.Body.Close()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// mayPass tells failures that are worth another try: a server that is busy or
// restarts, a connection that broke. What can be sent only once is not.
func mayPass(request *http.Request, response *http.Response, err error) bool {
	if request.Body != nil && request.Body != http.NoBody && request.GetBody == nil {
		return false
	}
	if err != nil {
		if request.Context().Err() != nil {
			return false
		}
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return false // nobody is there
		}
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) && !isTLS(err)
	}
	return passing(response.StatusCode)
}

// passing tells answers that may be others in a moment.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func trace(request *http.Request, response *http.Response, err error) string {
	text := request.Method + " " + maskURL(request.URL)
	if err != nil {
		return text + ": " + maskedError(err)
	}
	return text + ": " + response.Status
}

// maskURL is a URL without its login and without the values of its query, which
// may be a signature.
func maskURL(u *url.URL) string {
	masked := *u
	if masked.User != nil {
		masked.User = url.User("xxxxx")
	}
	if masked.RawQuery != "" {
		masked.RawQuery = "..."
	}
	return masked.String()
}

// Mask is a URL as it may be shown: without a login.
func Mask(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return withoutLogin(address)
	case u.User == nil:
		return address
	}
	masked := *u
	masked.User = url.User("xxxxx")
	return masked.String()
}

// bounded ends a body that is longer than its limit with an error, and the
// request's context with the body.
type bounded struct {
	io.ReadCloser
	left, limit int64
	end         func()
}

// Read reads on, up to the limit.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		var one [1]byte
		if n, err := b.ReadCloser.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, &tooLargeError{limit: b.limit}
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

// Close ends the request.
func (b *bounded) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// tooLargeError is an answer that is longer than what we take.
type tooLargeError struct{ limit int64 }

// Error is one sentence.
func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d MiB", e.limit>>20)
}
