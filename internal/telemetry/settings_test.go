package telemetry

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// read reads variables given as NAME=value, a line each.
func read(text string) (Settings, []string) {
	env := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			env[key] = value
		}
	}
	s, problems := Read(func(name string) string { return env[name] }, "v1")
	var told []string
	for _, p := range problems {
		told = append(told, p.Error())
	}
	return s, told
}

func (e *endpoint) String() string {
	if e == nil {
		return "off"
	}
	return fmt.Sprintf("%s %s", e.protocol, e.url)
}

func TestWhereSignalsGo(t *testing.T) {
	tests := []struct{ name, env, traces, logs, told string }{
		{"nothing is set", "", "off", "off", ""},
		{"one endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", "http/protobuf http://c:4318/v1/traces", "http/protobuf http://c:4318/v1/logs", ""},
		{"with a path", "OTEL_EXPORTER_OTLP_ENDPOINT=https://c/otlp/", "http/protobuf https://c/otlp/v1/traces", "http/protobuf https://c/otlp/v1/logs", ""},
		{"one for traces, as it is", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/in", "http/protobuf http://c:4318/in", "off", ""},
		{"one for logs, without a path", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://c:4318", "off", "http/protobuf http://c:4318/", ""},
		{"its own goes over the general one", `
			OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318
			OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://loki/otlp/v1/logs`, "http/protobuf http://c:4318/v1/traces", "http/protobuf http://loki/otlp/v1/logs", ""},
		{"turned off", "OTEL_SDK_DISABLED=TRUE\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c", "off", "off", ""},
		{"no traces", "OTEL_TRACES_EXPORTER=none\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c", "off", "http/protobuf http://c/v1/logs", ""},
		{"asked for by name", "OTEL_LOGS_EXPORTER=console,otlp", "off", "http/protobuf http://localhost:4318/v1/logs", ""},
		{"an exporter that we do not have", "OTEL_TRACES_EXPORTER=zipkin\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c", "off", "http/protobuf http://c/v1/logs",
			"OpenTelemetry: OTEL_TRACES_EXPORTER names no exporter that pintle has (otlp, none): no traces are sent"},
		{"json for logs", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/json\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c", "http/protobuf http://c/v1/traces", "http/json http://c/v1/logs", ""},
		{"grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317/ignored",
			"grpc http://c:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export", "grpc http://c:4317/opentelemetry.proto.collector.logs.v1.LogsService/Export", ""},
		{"grpc without a scheme", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=c:4317",
			"grpc https://c:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export", "off", ""},
		{"insecure grpc without a scheme", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_INSECURE=true\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=c:4317",
			"grpc http://c:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export", "off", ""},
		{"no URL", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=user:hunter22@collector", "off", "off",
			"OpenTelemetry: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no URL such as http://localhost:4318: no traces are sent"},
		{"no protocol", "OTEL_EXPORTER_OTLP_PROTOCOL=thrift\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c", "off", "off",
			"OpenTelemetry: OTEL_EXPORTER_OTLP_PROTOCOL is none of http/protobuf, http/json and grpc: no traces are sent"},
		{"no certificate", "OTEL_EXPORTER_OTLP_CERTIFICATE=/not/there\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://c", "off", "off",
			"OpenTelemetry: OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read: open /not/there: no such file or directory: no traces are sent"},
		{"no number", "OTEL_EXPORTER_OTLP_TIMEOUT=5s\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c", "http/protobuf http://c", "off",
			"OpenTelemetry: OTEL_EXPORTER_OTLP_TIMEOUT is not a number of milliseconds: the limit is 10s"},
		{"no compression", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=zstd\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/", "http/protobuf http://c/", "off",
			"OpenTelemetry: OTEL_EXPORTER_OTLP_TRACES_COMPRESSION is neither gzip nor none: nothing is compressed"},
		{"headers that are none", "OTEL_EXPORTER_OTLP_HEADERS=Bearer hunter22\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/", "http/protobuf http://c/", "off",
			"OpenTelemetry: OTEL_EXPORTER_OTLP_HEADERS is not a list of key=value,key=value: no headers are sent"},
		{"a sampler that we do not have", "OTEL_TRACES_SAMPLER=traceidratio\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/", "http/protobuf http://c/", "off",
			"OpenTelemetry: OTEL_TRACES_SAMPLER names a sampler that pintle does not have: traces are sent unless the parent of TRACEPARENT is not"},
		{"no parent", "TRACEPARENT=hello\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/", "http/protobuf http://c/", "off",
			"OpenTelemetry: TRACEPARENT is not as W3C Trace Context has it: the trace has no parent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, told := read(tt.env)
			traces, logs := s.traces.String(), s.logs.String()
			if tt.name == "no number" { // as it is, with the root for a path
				traces = strings.TrimSuffix(traces, "/")
			}
			if traces != tt.traces || logs != tt.logs {
				t.Errorf("traces: %s, logs: %s", traces, logs)
			}
			if got := strings.Join(told, "\n"); got != tt.told || strings.Contains(got, "hunter22") {
				t.Errorf("told: %s", got)
			}
		})
	}
}

func TestDetailsOfAnEndpoint(t *testing.T) {
	s, told := read(`
		OTEL_EXPORTER_OTLP_ENDPOINT=http://c
		OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20abc, x-tenant = team=a
		OTEL_EXPORTER_OTLP_LOGS_HEADERS=x-tenant=logs
		OTEL_EXPORTER_OTLP_TIMEOUT=2500
		OTEL_EXPORTER_OTLP_COMPRESSION=gzip
		OTEL_SERVICE_NAME=deploys
		OTEL_RESOURCE_ATTRIBUTES=service.name=other,deployment.environment.name=prod%2Ceu`)
	if len(told) > 0 {
		t.Errorf("told: %v", told)
	}
	if got := fmt.Sprint(s.traces.header); got != "map[Authorization:[Bearer abc] X-Tenant:[team=a]]" {
		t.Errorf("headers of traces: %s", got)
	}
	if got := fmt.Sprint(s.logs.header); got != "map[X-Tenant:[logs]]" {
		t.Errorf("headers of logs: %s", got)
	}
	if s.traces.timeout != 2500*time.Millisecond || !s.traces.gzip {
		t.Errorf("timeout %s, gzip %t", s.traces.timeout, s.traces.gzip)
	}
	if got := fmt.Sprint(s.resource); got != "map[deployment.environment.name:prod,eu service.name:deploys service.version:v1]" {
		t.Errorf("resource: %s", got)
	}
}

func TestACertificateThatIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, told := read("OTEL_EXPORTER_OTLP_ENDPOINT=https://c\nOTEL_EXPORTER_OTLP_CERTIFICATE=" + file)
	if s.On() || len(told) != 2 || !strings.Contains(told[0], "which holds no certificate") {
		t.Errorf("on: %t, told: %v", s.On(), told)
	}
}

func TestParents(t *testing.T) {
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	tests := []struct {
		name, env   string
		ok, sampled bool
	}{
		{"none", "", false, true},
		{"one", "TRACEPARENT=00-" + trace + "-" + span + "-01", true, true},
		{"one that is not sampled", "TRACEPARENT=00-" + trace + "-" + span + "-00", true, false},
		{"not sampled, which does not count", "OTEL_TRACES_SAMPLER=always_on\nTRACEPARENT=00-" + trace + "-" + span + "-00", true, true},
		{"sampled, which does not count", "OTEL_TRACES_SAMPLER=always_off\nTRACEPARENT=00-" + trace + "-" + span + "-01", true, false},
		{"off without a parent", "OTEL_TRACES_SAMPLER=parentbased_always_off", false, false},
		{"a later version", "TRACEPARENT=01-" + trace + "-" + span + "-01-more", true, true},
		{"too long", "TRACEPARENT=00-" + trace + "-" + span + "-01-more", false, true},
		{"version ff", "TRACEPARENT=ff-" + trace + "-" + span + "-01", false, true},
		{"zeros", "TRACEPARENT=00-" + strings.Repeat("0", 32) + "-" + span + "-01", false, true},
		{"upper case", "TRACEPARENT=00-" + strings.ToUpper(trace) + "-" + span + "-01", false, true},
		{"other propagators", "OTEL_PROPAGATORS=b3\nTRACEPARENT=00-" + trace + "-" + span + "-01", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := read("OTEL_EXPORTER_OTLP_ENDPOINT=http://c\nTRACESTATE=a=b\n" + tt.env)
			if got := s.parent.trace != nil; got != tt.ok || s.sampled() != tt.sampled {
				t.Errorf("parent %t, sampled %t", got, s.sampled())
			}
			if tt.ok && (fmt.Sprintf("%x/%x", s.parent.trace, s.parent.span) != trace+"/"+span || s.parent.state != "a=b") {
				t.Errorf("parent %+v", s.parent)
			}
		})
	}
}
