package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// wire carries requests to a handler in this process, so that tests in a
// synctest bubble need no network. It keeps what was asked.
type wire struct {
	handle func(w http.ResponseWriter, r *http.Request)

	mu    sync.Mutex
	asked []string
}

// errBroken, as the panic value of a handler, breaks the connection off.
var errBroken = fmt.Errorf("read tcp: %w", syscall.ECONNRESET)

// errStream is what HTTP/2 gives for an answer that a proxy has broken off.
var errStream = errors.New("stream error: stream ID 5; INTERNAL_ERROR; received from peer")

// errRefusedDial is what a port without a listener gives.
var errRefusedDial = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

func (w *wire) client(opts Options) *Client {
	base, _ := url.Parse("https://api.test:6443")
	return newClient(&http.Client{Transport: w}, base, opts)
}

// Requests are "METHOD /path?query" of all requests so far.
func (w *wire) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.asked...)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	query, _ := url.QueryUnescape(r.URL.RawQuery)
	w.asked = append(w.asked, strings.TrimSuffix(r.Method+" "+r.URL.Path+"?"+query, "?"))
	w.mu.Unlock()
	body, write := io.Pipe()
	answer := &answerWriter{header: http.Header{}, pipe: write, begun: make(chan error, 1)}
	go func() {
		defer func() {
			if p := recover(); p != nil {
				err, ok := p.(error)
				if !ok {
					panic(p)
				}
				answer.start(http.StatusOK, err)
				write.CloseWithError(err)
			}
		}()
		w.handle(answer, r)
		answer.start(http.StatusOK, nil)
		write.Close()
	}()
	select {
	case err := <-answer.begun:
		if err != nil {
			return nil, err
		}
	case <-r.Context().Done():
		body.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
	stop := make(chan struct{})
	go func() {
		select {
		case <-r.Context().Done():
			body.CloseWithError(r.Context().Err())
		case <-stop:
		}
	}()
	return &http.Response{
		StatusCode: answer.status, Header: answer.sent, ContentLength: -1,
		Body: &answerBody{PipeReader: body, stop: sync.OnceFunc(func() { close(stop) })}, Request: r,
	}, nil
}

type answerBody struct {
	*io.PipeReader
	stop func()
}

func (b *answerBody) Close() error { b.stop(); return b.PipeReader.Close() }

type answerWriter struct {
	header http.Header
	sent   http.Header
	status int
	pipe   *io.PipeWriter
	once   sync.Once
	begun  chan error
}

func (a *answerWriter) Header() http.Header { return a.header }

func (a *answerWriter) start(status int, err error) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		a.begun <- err
	})
}

func (a *answerWriter) WriteHeader(status int) { a.start(status, nil) }

func (a *answerWriter) Write(p []byte) (int, error) {
	a.start(http.StatusOK, nil)
	return a.pipe.Write(p)
}

// reply writes an object as JSON.
func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", asJSON)
	_ = json.NewEncoder(w).Encode(v)
}

// refuse writes a Status as an API server does.
func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: int32(code), Reason: reason, Message: message,
		Details: &metav1.StatusDetails{Name: "it"},
	})
}

// discovery answers a few built-in kinds in the aggregated form; it reports
// whether the request was its own.
func discovery(w http.ResponseWriter, r *http.Request) bool {
	const one = `{"resource":%q,"responseKind":{"kind":%q},"scope":"Namespaced","verbs":["get","list","watch"]}`
	group := func(name, version string, pairs ...string) string {
		var resources []string
		for i := 0; i < len(pairs); i += 2 {
			resources = append(resources, fmt.Sprintf(one, pairs[i], pairs[i+1]))
		}
		return fmt.Sprintf(`{"metadata":{"name":%q},"versions":[{"version":%q,"freshness":"Current","resources":[%s]}]}`,
			name, version, strings.Join(resources, ","))
	}
	var items string
	switch r.URL.Path {
	case "/api":
		items = group("", "v1", "pods", "Pod", "configmaps", "ConfigMap", "secrets", "Secret", "events", "Event")
	case "/apis":
		items = group("batch", "v1", "jobs", "Job") + "," + group("apps", "v1", "deployments", "Deployment") +
			`,{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]}`
	case "/version":
		_, _ = io.WriteString(w, `{"major":"1","minor":"35","gitVersion":"v1.35.4"}`)
		return true
	default:
		return false
	}
	w.Header().Set("Content-Type", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
	w.Header().Set("Etag", `"`+r.URL.Path+`1"`)
	if r.Header.Get("If-None-Match") == `"`+r.URL.Path+`1"` {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	_, _ = io.WriteString(w, `{"kind":"APIGroupDiscoveryList","items":[`+items+`]}`)
	return true
}

// writes without discovery.
func withoutDiscovery(requests []string) []string {
	var out []string
	for _, r := range requests {
		if !strings.HasPrefix(r, "GET /api?") && r != "GET /api" && r != "GET /apis" && r != "GET /version" {
			out = append(out, r)
		}
	}
	return out
}

// roughly tells whether a time is within half and one and a half of a pause.
func within(t *testing.T, got, low, high time.Duration) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("took %v, want between %v and %v", got, low, high)
	}
}
