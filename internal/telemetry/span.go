package telemetry

import (
	"time"

	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

// mostEvents bounds the events of one span.
const mostEvents = 100

// The flags of a span: that it is sampled, and whether its parent is another
// process's, as far as that is told.
const (
	flagSampled     = 0x1
	flagTellsRemote = 0x100
	flagRemote      = 0x200
)

// span is one that has not ended.
type span struct {
	id    spanID
	up    spanID
	name  string
	start time.Time
	flags uint32
	state string
	attributes
	events  []*trace.Span_Event
	dropped uint32
	// failed is set for a span that ended badly; failure says how.
	failed  bool
	failure string
}

// under begins a span below another.
func under(up *span, name string, start time.Time) *span {
	return &span{id: newSpanID(), up: up.id, name: name, start: start, flags: flagSampled | flagTellsRemote}
}

// event notes that something happened.
func (s *span) event(name string, at time.Time, attrs attributes) {
	if len(s.events) >= mostEvents {
		s.dropped++
		return
	}
	s.events = append(s.events, &trace.Span_Event{Name: clean(name), TimeUnixNano: nanos(at), Attributes: attrs})
}

// fail marks the span as one that ended badly. typ is a machine's word.
func (s *span) fail(typ, message string) {
	s.failed, s.failure = true, message
	if typ == "" {
		typ = "_OTHER"
	}
	s.text(attrErrorType, typ)
}

// ended is the span as it is sent, and about how many bytes it takes.
func (s *span) ended(id traceID, at time.Time) (*trace.Span, int) {
	out := &trace.Span{
		TraceId: id, SpanId: s.id, ParentSpanId: s.up, TraceState: s.state, Flags: s.flags, Name: clean(s.name),
		Kind: trace.Span_SPAN_KIND_INTERNAL, StartTimeUnixNano: nanos(s.start), EndTimeUnixNano: nanos(at),
		Attributes: s.attributes, Events: s.events, DroppedEventsCount: s.dropped,
	}
	if s.failed {
		out.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: clean(s.failure)}
	}
	const each = 100
	return out, each*(1+len(s.attributes)+3*len(s.events)) + len(s.failure)
}
