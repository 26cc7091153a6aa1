package telemetry

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
)

// traceID and spanID are those of W3C Trace Context, as bytes; empty for none.
type (
	traceID []byte
	spanID  []byte
)

func newTraceID() traceID { return randomBytes(16) }
func newSpanID() spanID   { return randomBytes(8) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// parent is the span of somebody else that ours belong under: that of a job of
// a CI system, say. The zero value is none.
type parent struct {
	trace   traceID
	span    spanID
	sampled bool
	state   string
}

// parent reads TRACEPARENT, unless OTEL_PROPAGATORS leaves it out.
func (v *variables) parent() parent {
	if p := v.value("OTEL_PROPAGATORS"); p != "" && !slices.Contains(strings.Split(strings.ReplaceAll(p, " ", ""), ","), "tracecontext") {
		return parent{}
	}
	text := v.value("TRACEPARENT")
	if text == "" {
		return parent{}
	}
	p, ok := parseTraceparent(text)
	if !ok {
		v.wrong("TRACEPARENT", "is not as W3C Trace Context has it", "the trace has no parent")
		return parent{}
	}
	p.state = v.value("TRACESTATE")
	return p
}

// parseTraceparent reads version-trace-span-flags. Later versions may add
// fields, and are read as far as we know them.
func parseTraceparent(text string) (parent, bool) {
	parts := strings.Split(text, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" || parts[0] == "00" && len(parts) > 4 || text != strings.ToLower(text) {
		return parent{}, false
	}
	trace, okTrace := decodeID(parts[1], 16)
	span, okSpan := decodeID(parts[2], 8)
	flags, err := hex.DecodeString(parts[3])
	if !okTrace || !okSpan || err != nil || len(flags) != 1 {
		return parent{}, false
	}
	return parent{trace: trace, span: span, sampled: flags[0]&1 == 1}, true
}

// decodeID reads an id of that many bytes; one of zeros is none.
func decodeID(text string, size int) ([]byte, bool) {
	id, err := hex.DecodeString(text)
	if err != nil || len(id) != size {
		return nil, false
	}
	return id, slices.ContainsFunc(id, func(b byte) bool { return b != 0 })
}

// The samplers that we know. One trace for a release is little, so there are
// none that pick some.
const (
	alwaysOn        = "always_on"
	alwaysOff       = "always_off"
	parentAlwaysOn  = "parentbased_always_on"
	parentAlwaysOff = "parentbased_always_off"
)

// sampler reads OTEL_TRACES_SAMPLER.
func (v *variables) sampler() string {
	const name = "OTEL_TRACES_SAMPLER"
	switch s := v.value(name); s {
	case alwaysOn, alwaysOff, parentAlwaysOn, parentAlwaysOff:
		return s
	case "":
		return parentAlwaysOn
	}
	v.wrong(name, "names a sampler that pintle does not have", "traces are sent unless the parent of TRACEPARENT is not")
	return parentAlwaysOn
}

// sampled tells whether spans are sent. Logs are in any case.
func (s Settings) sampled() bool {
	switch {
	case s.sampler == alwaysOn:
		return true
	case s.sampler == alwaysOff:
		return false
	case s.parent.trace != nil:
		return s.parent.sampled
	}
	return s.sampler == parentAlwaysOn
}
