package telemetry

import (
	"context"
	"maps"
	"slices"

	logsrequest "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	tracerequest "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	record "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

// out puts records into requests.
type out struct {
	scope    *common.InstrumentationScope
	resource *resource.Resource
}

func resourceOf(s Settings) *resource.Resource {
	var attrs attributes
	for _, key := range slices.Sorted(maps.Keys(s.resource)) {
		attrs.text(clean(key), s.resource[key])
	}
	return &resource.Resource{Attributes: attrs}
}

func (o *out) spans(p *poster) deliver[*trace.Span] {
	return func(ctx context.Context, batch []*trace.Span) (int, error) {
		request := &tracerequest.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
			Resource: o.resource, ScopeSpans: []*trace.ScopeSpans{{Scope: o.scope, Spans: batch}},
		}}}
		var answer tracerequest.ExportTraceServiceResponse
		err := p.post(ctx, request, &answer)
		return int(answer.GetPartialSuccess().GetRejectedSpans()), err
	}
}

func (o *out) logs(p *poster) deliver[*record.LogRecord] {
	return func(ctx context.Context, batch []*record.LogRecord) (int, error) {
		request := &logsrequest.ExportLogsServiceRequest{ResourceLogs: []*record.ResourceLogs{{
			Resource: o.resource, ScopeLogs: []*record.ScopeLogs{{Scope: o.scope, LogRecords: batch}},
		}}}
		var answer logsrequest.ExportLogsServiceResponse
		err := p.post(ctx, request, &answer)
		return int(answer.GetPartialSuccess().GetRejectedLogRecords()), err
	}
}
