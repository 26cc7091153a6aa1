package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	request "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// message is a request with one span.
func message() *request.ExportTraceServiceRequest {
	return &request.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{{
		Name: "hello", TraceId: bytes.Repeat([]byte{0xab}, 16), SpanId: bytes.Repeat([]byte{0xcd}, 8), Kind: trace.Span_SPAN_KIND_INTERNAL, StartTimeUnixNano: 7,
	}}}}}}}
}

// posted sends the message to a server, with settings, and gives the answer.
func posted(t *testing.T, server *httptest.Server, env string) (*request.ExportTraceServiceResponse, error) {
	t.Helper()
	s, told := read("OTEL_EXPORTER_OTLP_ENDPOINT=" + server.URL + "\n" + env)
	if len(told) > 0 {
		t.Fatal(told)
	}
	var answer request.ExportTraceServiceResponse
	err := newPoster(s.traces, "v1").post(t.Context(), message(), &answer)
	return &answer, err
}

func TestRequestsAreAsTheSpecificationHasThem(t *testing.T) {
	tests := []struct{ name, env, path, contentType, encoding string }{
		{"protobuf", "", "/v1/traces", "application/x-protobuf", ""},
		{"protobuf, gzip", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "/v1/traces", "application/x-protobuf", "gzip"},
		{"json", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "/v1/traces", "application/json", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != tt.path || r.Header.Get("Content-Type") != tt.contentType ||
					r.Header.Get("Content-Encoding") != tt.encoding || r.Header.Get("X-Key") != "abc" || r.Header.Get("User-Agent") != "pintle/v1" {
					t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
				}
				body := r.Body
				if tt.encoding == "gzip" {
					unzipped, err := gzip.NewReader(body)
					if err != nil {
						t.Error(err)
						return
					}
					body = unzipped
				}
				text, err := io.ReadAll(body)
				if err != nil {
					t.Error(err)
				}
				checkBody(t, text, tt.contentType)
				w.Header().Set("Content-Type", tt.contentType)
				_, _ = w.Write(partly(t, tt.contentType))
			}))
			defer server.Close()
			answer, err := posted(t, server, "OTEL_EXPORTER_OTLP_HEADERS=x-key=abc\n"+tt.env)
			if err != nil || answer.GetPartialSuccess().GetRejectedSpans() != 3 {
				t.Errorf("answer %v, error %v", answer, err)
			}
		})
	}
}

func checkBody(t *testing.T, text []byte, contentType string) {
	if contentType == "application/json" {
		want := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":1,"name":"hello","spanId":"cdcdcdcdcdcdcdcd","startTimeUnixNano":"7","traceId":"abababababababababababababababab"}]}]}]}`
		if string(text) != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
		return
	}
	var got request.ExportTraceServiceRequest
	if err := proto.Unmarshal(text, &got); err != nil || !proto.Equal(&got, message()) {
		t.Errorf("got %v, %v", &got, err)
	}
}

// partly is the answer of a collector that has left three spans out.
func partly(t *testing.T, contentType string) []byte {
	if contentType == "application/json" {
		return []byte(`{"partialSuccess":{"rejectedSpans":"3","unknown":1}}`)
	}
	text, err := proto.Marshal(&request.ExportTraceServiceResponse{PartialSuccess: &request.ExportTracePartialSuccess{RejectedSpans: 3}})
	if err != nil {
		t.Error(err)
	}
	return text
}

func TestAnswersThatSayNo(t *testing.T) {
	tests := []struct {
		name   string
		status int
		head   string
		body   string
		again  bool
		after  time.Duration
		text   string
	}{
		{"too many", 429, "7", "slow down", true, 7 * time.Second, "the collector answered 429 Too Many Requests: slow down"},
		{"unavailable", 503, "", "", true, 0, "the collector answered 503 Service Unavailable"},
		{"a negative time", 503, "-5", "", true, 0, "the collector answered 503 Service Unavailable"},
		{"a bad gateway", 502, "", "", true, 0, "the collector answered 502 Bad Gateway"},
		{"a bad request", 400, "7", "no such\nfield", false, 0, "the collector answered 400 Bad Request: no such"},
		{"bytes for words", 400, "", "\x08\x03\x12", false, 0, "the collector answered 400 Bad Request"},
		{"not allowed", 401, "", strings.Repeat("x", 500), false, 0, "the collector answered 401 Unauthorized: " + strings.Repeat("x", 200) + "..."},
		{"elsewhere", 307, "", "", false, 0, "the collector answered 307 Temporary Redirect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.Header().Set("Retry-After", tt.head)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer server.Close()
			_, err := posted(t, server, "")
			var no *rejection
			if !errors.As(err, &no) {
				t.Fatalf("error %v", err)
			}
			if no.again != tt.again || no.after != tt.after || no.Error() != tt.text || requests != 1 {
				t.Errorf("again %t, after %s, %q, %d requests", no.again, no.after, no, requests)
			}
		})
	}
}

func TestRetryAfterTakesDates(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:00:00 GMT": 0, "3": 3 * time.Second, "soon": 0, "": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-hold
	}))
	defer server.Close()
	defer close(hold)
	_, err := posted(t, server, "OTEL_EXPORTER_OTLP_TIMEOUT=20")
	if err == nil || err.Error() != "no answer within 20ms" {
		t.Errorf("error %v", err)
	}
	var no *rejection
	if errors.As(err, &no) {
		t.Error("it counts as an answer")
	}
}

func TestCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of the client that hangs up
	server.StartTLS()
	defer server.Close()
	if _, err := posted(t, server, ""); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("without the authority: %v", err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := posted(t, server, "OTEL_EXPORTER_OTLP_CERTIFICATE="+file); err != nil {
		t.Errorf("with the authority: %v", err)
	}
}

// grpcServer answers as a gRPC server does, with or without TLS.
func grpcServer(t *testing.T, status, message string, answer []byte) *httptest.Server {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.ProtoMajor != 2 || r.URL.Path != grpcPaths[traces] || r.Header.Get("Content-Type") != "application/grpc" || r.Header.Get("Te") != "trailers" {
			t.Errorf("%v %s %s %v", err, r.Proto, r.URL, r.Header)
		}
		checkBody(t, unframe(text), "application/grpc")
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		_, _ = w.Write(answer)
		w.Header().Set("Grpc-Status", status)
		w.Header().Set("Grpc-Message", message)
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func TestGRPC(t *testing.T) {
	const env = "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"
	answer, err := posted(t, grpcServer(t, "0", "", frame(partly(t, ""), false)), env)
	if err != nil || answer.GetPartialSuccess().GetRejectedSpans() != 3 {
		t.Errorf("answer %v, error %v", answer, err)
	}
	var no *rejection
	_, err = posted(t, grpcServer(t, "14", "closing%20down", nil), env)
	if !errors.As(err, &no) || !no.again || no.Error() != "the collector answered with the gRPC status 14: closing down" {
		t.Errorf("unavailable: %v", err)
	}
	_, err = posted(t, grpcServer(t, "16", "", nil), env)
	if !errors.As(err, &no) || no.again {
		t.Errorf("unauthenticated: %v", err)
	}
}

func TestTheWrongPort(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	if _, err := posted(t, server, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"); err == nil || !strings.Contains(err.Error(), "is this the port for HTTP?") {
		t.Errorf("gRPC to HTTP: %v", err)
	}
	if _, err := posted(t, grpcServer(t, "0", "", nil), ""); err == nil || !strings.Contains(err.Error(), "is this the port for gRPC?") {
		t.Errorf("HTTP to gRPC: %v", err)
	}
}

func TestAnEndCutsARequestOff(t *testing.T) {
	hold, there := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(there)
		<-hold
	}))
	defer server.Close()
	defer close(hold)
	s, _ := read("OTEL_EXPORTER_OTLP_ENDPOINT=" + server.URL)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-there
		cancel()
	}()
	var answer request.ExportTraceServiceResponse
	if err := newPoster(s.traces, "v1").post(ctx, message(), &answer); !errors.Is(err, errNoAnswer) {
		t.Errorf("error %v", err)
	}
}
