package kube

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// request is one call as it goes over the wire, together with what its errors
// are to name.
type request struct {
	// verb is Kubernetes' word for it: get, list, watch, create, update, patch, delete.
	verb        string
	path        string
	query       url.Values
	accept      string
	contentType string
	body        []byte
	etag        string
	ref         object.Ref
	// asks tells a create that only asks something: nothing is stored.
	asks bool
}

// response is an answer that was read to its end.
type response struct {
	status int
	header http.Header
	body   []byte
}

const (
	asJSON = "application/json"
	// attemptTimeout is above the API server's own limit of 60 s for one
	// request, so that it is the server that gives up first.
	attemptTimeout = 75 * time.Second
)

func (r request) method() string {
	switch r.verb {
	case "create":
		return http.MethodPost
	case "update":
		return http.MethodPut
	case "patch":
		return http.MethodPatch
	case "delete":
		return http.MethodDelete
	default:
		return http.MethodGet
	}
}

// repeatable tells that doing it twice is the same as doing it once.
func (r request) repeatable() bool {
	return r.verb != "create" || r.asks || len(r.query["dryRun"]) > 0
}

// do sends a request, again where that is safe, and reads the whole answer.
func (c *Client) do(ctx context.Context, r request) (*response, error) {
	resp, _, err := c.try(ctx, r)
	return resp, err
}

// try is do; lost tells that an attempt may have done its work although no
// answer to it came.
func (c *Client) try(ctx context.Context, r request) (resp *response, lost bool, err error) {
	tries := c.newTries(r)
	for {
		resp, err := c.attempt(ctx, r)
		if err == nil {
			return resp, tries.lost, nil
		}
		if err := tries.again(ctx, err); err != nil {
			return nil, tries.lost, c.refused(r.verb, r.ref, err)
		}
	}
}

func (c *Client) attempt(ctx context.Context, r request) (*response, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	resp, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := readAll(resp)
	if err != nil {
		return nil, withoutURL(err)
	}
	return &response{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// open sends a request once and leaves the answer's body to be read. Answers
// of 400 and above are errors that carry the API server's status.
func (c *Client) open(ctx context.Context, r request) (*http.Response, error) {
	if err := c.throttle(ctx); err != nil {
		return nil, err
	}
	req, err := c.build(ctx, r)
	if err != nil {
		return nil, err
	}
	c.counts.add(r.verb)
	resp, err := c.roundTrip(r, req)
	if err != nil {
		return nil, withoutURL(err)
	}
	c.reached.Store(true)
	c.noteTime(resp.Header)
	c.passWarnings(resp.Header)
	if resp.StatusCode >= http.StatusBadRequest {
		defer resp.Body.Close()
		return nil, statusError(r, resp)
	}
	return resp, nil
}

func (c *Client) roundTrip(r request, req *http.Request) (*http.Response, error) {
	if c.exchanged == nil {
		return c.http.Do(req)
	}
	began := time.Now()
	resp, err := c.http.Do(req)
	c.tell(r, began, resp)
	return resp, err
}

func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + r.path
	u.RawQuery = r.query.Encode()
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method(), u.String(), body)
	if err != nil {
		return nil, err
	}
	set := func(name, value string) {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	accept := r.accept
	if accept == "" {
		accept = asJSON
	}
	set("Accept", accept)
	set("Content-Type", r.contentType)
	set("If-None-Match", r.etag)
	set("User-Agent", c.userAgent)
	return req, nil
}

func readAll(resp *http.Response) ([]byte, error) {
	var buf bytes.Buffer
	if resp.ContentLength > 0 {
		buf.Grow(int(min(resp.ContentLength, 64<<20)) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(resp.Body)
	return buf.Bytes(), err
}

// statusError turns an answer into the API server's own error.
func statusError(r request, resp *http.Response) error {
	body, broken := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // a cut-off text is still the best there is
	after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	var status metav1.Status
	if utiljson.Unmarshal(body, &status) == nil && status.Kind == "Status" && status.Code != 0 {
		if after > 0 {
			if status.Details == nil {
				status.Details = &metav1.StatusDetails{}
			}
			status.Details.RetryAfterSeconds = int32(after)
		}
		return &apierrors.StatusError{ErrStatus: status}
	}
	// By the method and not by the verb, or a POST's 409 would not mean "already exists".
	err := apierrors.NewGenericServerResponse(resp.StatusCode, r.method(), groupResource(r.ref), r.ref.Name,
		strings.TrimSpace(string(body)), after, true)
	if broken != nil {
		return &cutOffError{StatusError: err}
	}
	return err
}

// cutOffError is an answer that told its status but broke off before its reason.
type cutOffError struct{ *apierrors.StatusError }

// groupResource names an object's kind in errors that the API server did not word.
func groupResource(ref object.Ref) schema.GroupResource {
	return schema.GroupResource{Group: ref.Group, Resource: strings.ToLower(ref.Kind)}
}

// decode reads a JSON object, whole numbers as int64.
func decode(body []byte) (*unstructured.Unstructured, error) {
	content := map[string]any{}
	if err := utiljson.Unmarshal(body, &content); err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: content}, nil
}

// passWarnings hands on `299 - "text"` headers.
func (c *Client) passWarnings(h http.Header) {
	if c.warn == nil {
		return
	}
	for _, value := range h.Values("Warning") {
		if _, text, ok := strings.Cut(value, `"`); ok {
			c.warn(strings.ReplaceAll(strings.TrimSuffix(text, `"`), `\"`, `"`))
		}
	}
}

func onceEach(warn func(string)) func(string) {
	if warn == nil {
		return nil
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(text string) {
		mu.Lock()
		again := seen[text]
		seen[text] = true
		mu.Unlock()
		if !again {
			warn(text)
		}
	}
}
