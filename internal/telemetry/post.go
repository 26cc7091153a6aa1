package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"
)

// longestAnswer bounds what is read of an answer.
const longestAnswer = 64 << 10

// poster sends requests to an endpoint.
type poster struct {
	endpoint  *endpoint
	client    *http.Client
	userAgent string
	now       func() time.Time
}

func newPoster(e *endpoint, version string) *poster {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = e.tls
	transport.Protocols = new(http.Protocols)
	switch {
	case e.protocol == grpc && e.url.Scheme == "http":
		transport.Protocols.SetUnencryptedHTTP2(true)
	case e.protocol == grpc:
		transport.Protocols.SetHTTP2(true)
	default:
		transport.Protocols.SetHTTP1(true)
		transport.Protocols.SetHTTP2(true)
	}
	return &poster{
		endpoint: e, userAgent: "pintle/" + version, now: time.Now,
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // headers with credentials go to no other place
		}},
	}
}

// post sends one message and reads the answer into another. Answers that say
// no are rejections.
func (p *poster) post(ctx context.Context, message, answer proto.Message) error {
	ctx, cancel := context.WithTimeout(ctx, p.endpoint.timeout)
	defer cancel()
	body, err := p.encode(message)
	if err != nil {
		return &rejection{err: fmt.Errorf("encoding: %w", err)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint.url.String(), bytes.NewReader(body))
	if err != nil {
		return &rejection{err: err}
	}
	p.head(req)
	resp, err := p.client.Do(req)
	if err != nil {
		return p.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil {
		return p.unreachable(ctx, err)
	}
	if no := p.refusal(resp, text); no != nil {
		return no
	}
	p.decode(text, answer)
	return nil
}

// unreachable words an error of the network.
func (p *poster) unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", p.endpoint.timeout)
	}
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err // the address is told once
	}
	switch {
	case ctx.Err() != nil:
		return errNoAnswer
	case brokenOff(err) && p.endpoint.protocol == grpc:
		return fmt.Errorf("%w; is this the port for HTTP? gRPC has 4317 by default", err)
	case brokenOff(err):
		return fmt.Errorf("%w; is this the port for gRPC? HTTP has 4318 by default", err)
	}
	return err
}

// brokenOff tells errors that come when the other side does not understand what
// it is told.
func brokenOff(err error) bool {
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, known) {
			return true
		}
	}
	return strings.Contains(err.Error(), "malformed HTTP response") || strings.Contains(err.Error(), "http2: ")
}

// errNoAnswer is a request that was cut off at the end of the run.
var errNoAnswer = errors.New("no answer came in time")

func (p *poster) head(req *http.Request) {
	req.Header.Set("User-Agent", p.userAgent)
	for key, values := range p.endpoint.header {
		req.Header[key] = values
	}
	switch p.endpoint.protocol {
	case grpc:
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("Te", "trailers")
		if p.endpoint.gzip {
			req.Header.Set("Grpc-Encoding", "gzip")
		}
		return
	case jsonText:
		req.Header.Set("Content-Type", "application/json")
	default:
		req.Header.Set("Content-Type", "application/x-protobuf")
	}
	if p.endpoint.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
}

func (p *poster) encode(message proto.Message) ([]byte, error) {
	text, err := p.write(message)
	if err != nil {
		return nil, err
	}
	if p.endpoint.gzip {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(text); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		text = b.Bytes()
	}
	if p.endpoint.protocol == grpc {
		text = frame(text, p.endpoint.gzip)
	}
	return text, nil
}

func (p *poster) write(message proto.Message) ([]byte, error) {
	if p.endpoint.protocol == jsonText {
		return marshalJSON(message)
	}
	return proto.Marshal(message)
}

// decode reads what an answer adds to its yes. One that cannot be read is a yes
// all the same.
func (p *poster) decode(text []byte, answer proto.Message) {
	switch p.endpoint.protocol {
	case jsonText:
		unmarshalJSON(text, answer)
		return
	case grpc:
		text = unframe(text)
	}
	if proto.Unmarshal(text, answer) != nil {
		proto.Reset(answer)
	}
}

// refusal is nil for a yes. The specification names the codes after which to try again.
func (p *poster) refusal(resp *http.Response, text []byte) error {
	switch {
	case p.endpoint.protocol == grpc && resp.StatusCode == http.StatusOK:
		return grpcRefusal(resp)
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return nil
	}
	no := &rejection{err: fmt.Errorf("the collector answered %s%s", resp.Status, said(text))}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		no.again, no.after = true, retryAfter(resp.Header.Get("Retry-After"), p.now())
	}
	return no
}

// said is the beginning of what an answer says in words.
func said(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if line == "" || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == '\uFFFD' }) {
		return ""
	}
	const most = 200
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "..."
	}
	return ": " + line
}

// retryAfter reads seconds or a date; 0 for neither.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
