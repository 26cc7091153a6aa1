package e2e

import (
	"bufio"
	encodingjson "encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// collector sets the variables that name a collector of OpenTelemetry on this
// machine, for the rest of the story or until it is called again:
//
//	collector real [PROTOCOL [tls]]      the Collector's own receiver; `received` shows what it got
//	collector absent                     nobody listens there
//	collector hangs                      takes requests and never answers
//	collector answers CODE [RETRY-AFTER] says no to each request
func collector(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: collector real|absent|hangs|answers [...]")
	}
	for _, name := range []string{"PROTOCOL", "CERTIFICATE", "ENDPOINT"} {
		ts.Setenv("OTEL_EXPORTER_OTLP_"+name, "")
	}
	switch args[0] {
	case "real":
		realCollector(ts, append(args, "", "")[1], slices.Contains(args, "tls"))
	case "absent":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())
		ts.Check(l.Close())
	case "hangs":
		collectorThat(ts, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	case "answers":
		code, err := strconv.Atoi(args[1])
		ts.Check(err)
		collectorThat(ts, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", append(args, "")[2])
			w.WriteHeader(code)
		})
	default:
		ts.Fatalf("collector: there is no %s", args[0])
	}
}

func collectorThat(ts *testscript.TestScript, answers http.HandlerFunc) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that a client that hangs up is noticed
		answers(w, r)
	}))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ts.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
}

// received is the file that the receiver writes to.
const receivedFile = "received.jsonl"

// realCollector starts bin/otlp-receiver until the story ends.
func realCollector(ts *testscript.TestScript, protocol string, tls bool) {
	file, err := os.Create(ts.MkAbs(receivedFile))
	ts.Check(err)
	program, err := exec.LookPath("../bin/otlp-receiver")
	ts.Check(err)
	cmd := exec.CommandContext(storyOf(ts).ctx, program)
	if tls {
		cmd.Args = append(cmd.Args, "-tls", ts.MkAbs("."))
		ts.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", ts.MkAbs("cert.pem"))
	}
	cmd.Stdout = file
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = file.Close()
	})
	var addresses struct{ HTTP, GRPC string }
	ts.Check(storyOf(ts).wait("the receiver", func() (bool, error) {
		first, _, whole := strings.Cut(ts.ReadFile(receivedFile), "\n")
		return whole && encodingjson.Unmarshal([]byte(first), &addresses) == nil, nil
	}))
	if protocol == "" {
		protocol = "http/protobuf"
	}
	address := addresses.HTTP
	if protocol == "grpc" {
		address = addresses.GRPC
	}
	ts.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
	ts.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
}

// received writes what the real collector got to standard output: the spans as
// a tree with their status and some attributes, then the log records, each with
// the span that it belongs to. Suffixes that Kubernetes makes up are left out.
//
//	received
func received(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: received")
	}
	var got telemetry
	lines := bufio.NewScanner(strings.NewReader(ts.ReadFile(receivedFile)))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		ts.Check(encodingjson.Unmarshal(lines.Bytes(), &got.requests))
		got.take()
	}
	ts.Check(lines.Err())
	for _, s := range got.spans {
		if got.span(s.ParentSpanID) == nil {
			got.write(ts.Stdout(), s, "")
		}
	}
	for _, l := range got.logs {
		got.writeLog(ts.Stdout(), l)
	}
}

// telemetry is OTLP as JSON, as far as stories look at it.
type telemetry struct {
	requests struct {
		ResourceSpans []struct {
			Resource   resource
			ScopeSpans []struct{ Spans []*otlpSpan }
		}
		ResourceLogs []struct {
			Resource  resource
			ScopeLogs []struct{ LogRecords []*otlpLog }
		}
	}
	spans []*otlpSpan
	logs  []*otlpLog
}

type resource struct{ Attributes otlpAttributes }

type otlpSpan struct {
	TraceID, SpanID, ParentSpanID, Name string
	StartTimeUnixNano, EndTimeUnixNano  string
	Attributes                          otlpAttributes
	Events                              []struct{ Name string }
	Status                              struct {
		Code    int
		Message string
	}
	resource otlpAttributes
}

type otlpLog struct {
	TraceID, SpanID, SeverityText, TimeUnixNano string
	Body                                        struct{ StringValue string }
	Attributes                                  otlpAttributes
	resource                                    otlpAttributes
}

type otlpAttributes []struct {
	Key   string
	Value struct{ StringValue, IntValue string }
}

func (a otlpAttributes) get(key string) string {
	for _, attr := range a {
		if attr.Key == key {
			return attr.Value.StringValue + attr.Value.IntValue
		}
	}
	return ""
}

// some are those of the attributes that are there, without the first part of their names.
func (a otlpAttributes) some(keys ...string) string {
	var b strings.Builder
	for _, key := range keys {
		if value := a.get(key); value != "" {
			fmt.Fprintf(&b, " %s=%s", strings.TrimPrefix(key, "pintle."), value)
		}
	}
	return b.String()
}

// take adds what a request brought.
func (t *telemetry) take() {
	for _, r := range t.requests.ResourceSpans {
		for _, scope := range r.ScopeSpans {
			for _, s := range scope.Spans {
				s.resource = r.Resource.Attributes
				t.spans = append(t.spans, s)
			}
		}
	}
	for _, r := range t.requests.ResourceLogs {
		for _, scope := range r.ScopeLogs {
			for _, l := range scope.LogRecords {
				l.resource = r.Resource.Attributes
				t.logs = append(t.logs, l)
			}
		}
	}
	t.requests.ResourceSpans, t.requests.ResourceLogs = nil, nil
}

func (t *telemetry) span(id string) *otlpSpan {
	for _, s := range t.spans {
		if s.SpanID == id {
			return s
		}
	}
	return nil
}

func (t *telemetry) write(w io.Writer, s *otlpSpan, indent string) {
	if up := t.span(s.ParentSpanID); up != nil {
		if s.TraceID != up.TraceID || s.StartTimeUnixNano < up.StartTimeUnixNano || s.EndTimeUnixNano > up.EndTimeUnixNano || s.EndTimeUnixNano < s.StartTimeUnixNano {
			fmt.Fprintf(w, "%s%s is not within %s\n", indent, s.Name, up.Name)
		}
	} else {
		fmt.Fprintf(w, "trace of%s%s\n", s.resource.some("service.name", "deployment.environment.name"), strings.TrimSuffix(" under "+s.ParentSpanID, " under "))
	}
	fmt.Fprintf(w, "%s%s:%s\n", indent, s.Name, s.Attributes.some("pintle.outcome", "pintle.reason", "process.exit.code", "error.type", "pintle.attempts"))
	if s.Status.Code == 2 {
		first, _, _ := strings.Cut(s.Status.Message, "\n")
		fmt.Fprintf(w, "%s  ! %s\n", indent, strings.ReplaceAll(first, s.Attributes.get("k8s.namespace.name"), "NAMESPACE"))
	}
	var below []*otlpSpan
	for _, other := range t.spans {
		if other.ParentSpanID == s.SpanID {
			below = append(below, other)
		}
	}
	slices.SortStableFunc(below, func(a, b *otlpSpan) int { return strings.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano) })
	for _, other := range below {
		t.write(w, other, indent+"  ")
	}
}

func (t *telemetry) writeLog(w io.Writer, l *otlpLog) {
	at := "no span"
	if s := t.span(l.SpanID); s != nil && s.TraceID == l.TraceID {
		at = s.Name
	}
	pod, job := l.Attributes.get("k8s.pod.name"), l.Attributes.get("k8s.job.name")
	if job != "" && strings.HasPrefix(pod, job+"-") {
		pod = job + "-?"
	}
	var where string
	if pod != "" {
		where = " " + pod + "/" + l.Attributes.get("k8s.container.name")
	}
	if l.Attributes.get("k8s.namespace.name") == "" || l.TimeUnixNano == "" {
		where += " (nowhere)"
	}
	fmt.Fprintf(w, "log of%s%s%s in %q:%s | %s\n", l.resource.some("service.name"), strings.TrimSuffix(" "+l.SeverityText, " "), where, at,
		l.Attributes.some("pintle.release", "pintle.revision", "pintle.event", "pintle.hook", "pintle.attempt"), strings.NewReplacer("\n", " / ", l.Attributes.get("k8s.namespace.name"), "NAMESPACE").Replace(l.Body.StringValue))
}
