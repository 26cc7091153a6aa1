package kube

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Exchange is one request and what came of it. A request that is repeated is
// one exchange for each attempt.
type Exchange struct {
	// Verb is Kubernetes' own; Resource is what the path names, such as
	// "configmaps", "pods/log" or "/apis".
	Verb, Resource string
	// Status is that of HTTP; 0 where no answer came.
	Status int
	Began  time.Time
	// Took ends with the last byte of the answer; for watches and logs, which go
	// on, with the answer's head.
	Took time.Duration
	// Bytes of the answer's body, as they were read after decompression; 0 for
	// watches and logs.
	Bytes int64
}

// tell gives an exchange to whoever listens once its answer has been read.
func (c *Client) tell(r request, began time.Time, resp *http.Response) {
	x := Exchange{Verb: r.verb, Resource: resourceOf(r.path), Began: began, Took: time.Since(began)}
	if resp == nil {
		c.exchanged(x)
		return
	}
	x.Status = resp.StatusCode
	if r.verb == "watch" || strings.HasSuffix(r.path, "/log") {
		c.exchanged(x)
		return
	}
	resp.Body = &countedBody{ReadCloser: resp.Body, end: func(n int64) {
		x.Took, x.Bytes = time.Since(began), n
		c.exchanged(x)
	}}
}

// countedBody counts what is read from an answer, and tells at its end, once.
type countedBody struct {
	io.ReadCloser
	read int64
	once sync.Once
	end  func(read int64)
}

// Read counts.
func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	return n, err
}

// Close tells.
func (b *countedBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() { b.end(b.read) })
	return err
}

// resourceOf names what a path leads to: the resource and, if any, the
// subresource; the path itself where it leads to neither.
func resourceOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) > 2:
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		parts = parts[3:]
	default:
		return path
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	if len(parts) > 2 {
		return parts[0] + "/" + parts[2]
	}
	return parts[0]
}
