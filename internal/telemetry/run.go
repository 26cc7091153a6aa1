package telemetry

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	record "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

// FlushLimit bounds how long the end of a run waits for a collector.
const FlushLimit = 5 * time.Second

// Command is what was asked of the program.
type Command struct {
	// Name is that of the command, such as "pintle upgrade".
	Name      string
	Namespace string
	Started   time.Time
}

// Result is how a command ended.
type Result struct {
	ExitCode int
	// Outcome is one word for it, such as "done" or "hook_failed".
	Outcome string
	// Cause says in words what went wrong; empty where nothing did.
	Cause string
	Ended time.Time
}

// Run is what one run of the program tells: a trace, and log records. Its
// methods may be called from any goroutine.
type Run struct {
	now   func() time.Time
	trace traceID
	// spans and logs are nil where the signal is off.
	spans *courier[*trace.Span]
	logs  *courier[*record.LogRecord]
	where map[signal]string

	mu   sync.Mutex
	root *span
	plan *course
}

// Start begins a trace. Settings that send nothing give nil, whose methods do
// nothing. version is that of this program. Requests do not end with ctx: End
// bounds them.
func Start(ctx context.Context, s Settings, c Command, version string) *Run {
	if !s.On() {
		return nil
	}
	r := begin(s, c)
	out := &out{scope: &common.InstrumentationScope{Name: "github.com/pintle-dev/pintle", Version: version}, resource: resourceOf(s)}
	if s.traces != nil && s.sampled() {
		r.spans = newCourier(ctx, defaultPace(), out.spans(newPoster(s.traces, version)))
		r.where[traces] = s.traces.url.Redacted()
	}
	if s.logs != nil {
		r.logs = newCourier(ctx, defaultPace(), out.logs(newPoster(s.logs, version)))
		r.where[logs] = s.logs.url.Redacted()
	}
	return r
}

// begin makes a run that sends nothing yet.
func begin(s Settings, c Command) *Run {
	r := &Run{now: time.Now, trace: s.parent.trace, where: map[signal]string{}}
	r.root = &span{
		id: newSpanID(), up: s.parent.span, name: c.Name, start: c.Started, state: s.parent.state, flags: flagSampled | flagTellsRemote,
	}
	if r.trace == nil {
		r.trace = newTraceID()
	} else {
		r.root.flags |= flagRemote
	}
	r.root.text(attrNamespace, c.Namespace)
	return r
}

// About names the release that it is about, where no plan has done so.
func (r *Run) About(release string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, have := range r.root.attributes {
		if have.Key == attrRelease {
			return // of several, the plans name theirs
		}
	}
	r.root.text(attrRelease, release)
}

// Sink takes an event.
func (r *Run) Sink(e event.Event) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.take(e)
}

// End closes the trace and waits until all has been sent, for FlushLimit or
// until ctx ends. It tells what did not arrive.
func (r *Run) End(ctx context.Context, result Result) diag.List {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	r.conclude(result)
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, FlushLimit)
	defer cancel()
	var lostSpans, lostLogs Loss
	var group sync.WaitGroup
	if r.spans != nil {
		group.Go(func() { lostSpans = r.spans.close(ctx) })
	}
	if r.logs != nil {
		group.Go(func() { lostLogs = r.logs.close(ctx) })
	}
	group.Wait()
	return r.lost(lostSpans, lostLogs)
}

func (r *Run) conclude(result Result) {
	if r.plan != nil {
		r.endPlan(r.plan, result.Ended, true, 0)
	}
	r.root.number(attrExitCode, result.ExitCode)
	r.root.text(attrOutcome, result.Outcome)
	severity, body := record.SeverityNumber_SEVERITY_NUMBER_INFO, r.root.name+": "+result.Outcome
	if result.Cause != "" {
		r.root.fail(result.Outcome, result.Cause)
		severity, body = record.SeverityNumber_SEVERITY_NUMBER_ERROR, result.Cause
	}
	last := r.record(result.Ended, r.root, severity, body)
	last.EventName = "pintle.finished"
	last.Attributes = r.root.attributes
	r.emit(last)
	r.end(r.root, result.Ended)
}

// lost tells, once, of what did not arrive.
func (r *Run) lost(spans, records Loss) diag.List {
	var what, why []string
	for _, l := range []struct {
		Loss
		signal signal
		name   string
	}{{spans, traces, "spans"}, {records, logs, "log records"}} {
		if l.Lost == 0 {
			continue
		}
		what = append(what, fmt.Sprintf("%d of %d %s", l.Lost, l.Sent, l.name))
		reason := "they came faster than they could be sent"
		if l.Why != nil {
			reason = l.Why.Error()
		}
		why = append(why, r.where[l.signal]+": "+reason)
	}
	if what == nil {
		return nil
	}
	return diag.List{{
		Severity: diag.Warning, Summary: "OpenTelemetry: " + strings.Join(what, " and ") + " did not arrive", Detail: strings.Join(why, "\n"),
	}}
}

// end sends a span.
func (r *Run) end(s *span, at time.Time) {
	if r.spans != nil {
		r.spans.put(s.ended(r.trace, at))
	}
}

// record begins a log record that belongs to a span.
func (r *Run) record(at time.Time, s *span, severity record.SeverityNumber, body string) *record.LogRecord {
	return &record.LogRecord{
		TimeUnixNano: nanos(at), ObservedTimeUnixNano: nanos(r.now()), SeverityNumber: severity, SeverityText: severityText[severity],
		Body: textValue(body), TraceId: r.trace, SpanId: s.id, Flags: flagSampled,
	}
}

var severityText = map[record.SeverityNumber]string{
	record.SeverityNumber_SEVERITY_NUMBER_INFO: "INFO", record.SeverityNumber_SEVERITY_NUMBER_WARN: "WARN", record.SeverityNumber_SEVERITY_NUMBER_ERROR: "ERROR",
}

// emit sends a log record.
func (r *Run) emit(l *record.LogRecord) {
	if r.logs != nil {
		const each = 300
		r.logs.put(l, each+len(l.Body.GetStringValue()))
	}
}
