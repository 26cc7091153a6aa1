package telemetry

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
)

// Settings say what is sent where. The zero value sends nothing.
type Settings struct {
	// traces and logs are nil where that signal is off.
	traces, logs *endpoint
	resource     map[string]string
	parent       parent
	sampler      string
}

// On tells that anything is to be sent.
func (s Settings) On() bool { return s.traces != nil || s.logs != nil }

// variables looks up OTEL_* variables and collects what is wrong with them.
type variables struct {
	lookup   func(string) string
	problems diag.List
}

// value is that of a variable; one that is empty counts as not set.
func (v *variables) value(name string) string { return strings.TrimSpace(v.lookup(name)) }

// general is the name and value of a variable for one signal, such as
// OTEL_EXPORTER_OTLP_TRACES_HEADERS, or else of the one for all signals.
func (v *variables) general(s signal, name string) (variable, value string) {
	own := "OTEL_EXPORTER_OTLP_" + s.upper() + "_" + name
	if value := v.value(own); value != "" {
		return own, value
	}
	all := "OTEL_EXPORTER_OTLP_" + name
	return all, v.value(all)
}

// wrong notes that a variable cannot be used and what follows from that. It
// never holds the variable's value, which may be a secret.
func (v *variables) wrong(name, why, so string) {
	v.problems.Add(diag.Problem{Severity: diag.Warning, Summary: fmt.Sprintf("OpenTelemetry: %s %s", name, why), Detail: so})
}

// Read reads the standard OTEL_* variables, TRACEPARENT and TRACESTATE. What
// cannot be used is told as warnings, and the signal that it is about is off:
// it is no reason to fail a release. version is that of this program.
func Read(lookup func(string) string, version string) (Settings, diag.List) {
	v := &variables{lookup: lookup}
	if strings.EqualFold(v.value("OTEL_SDK_DISABLED"), "true") {
		return Settings{}, nil
	}
	s := Settings{traces: v.endpoint(traces), logs: v.endpoint(logs)}
	if !s.On() {
		return Settings{}, v.problems
	}
	s.resource = v.resource(version)
	s.parent = v.parent()
	s.sampler = v.sampler()
	return s, v.problems
}

// signal is one of the two kinds of telemetry that are sent.
type signal string

const (
	traces signal = "traces"
	logs   signal = "logs"
)

func (s signal) upper() string { return strings.ToUpper(string(s)) }

// wanted tells whether a signal is to be sent: when an endpoint is named, or
// when it is asked for by name, and unless it is turned off.
func (v *variables) wanted(s signal) bool {
	name := "OTEL_" + s.upper() + "_EXPORTER"
	exporters := strings.FieldsFunc(v.value(name), func(r rune) bool { return r == ',' || r == ' ' })
	_, endpoint := v.general(s, "ENDPOINT")
	switch {
	case len(exporters) == 0:
		return endpoint != ""
	case slices.Contains(exporters, "otlp"):
		return true
	case !slices.Contains(exporters, "none"):
		v.wrong(name, "names no exporter that pintle has (otlp, none)", fmt.Sprintf("no %s are sent", s))
	}
	return false
}

// resource describes this process: OTEL_RESOURCE_ATTRIBUTES, and the service's
// name and version.
func (v *variables) resource(version string) map[string]string {
	const name = "OTEL_RESOURCE_ATTRIBUTES"
	out := map[string]string{"service.name": "pintle", "service.version": version}
	given, err := pairs(v.value(name))
	if err != nil {
		v.wrong(name, "is not a list of key=value,key=value", "it is left out")
	}
	maps.Copy(out, given)
	if service := v.value("OTEL_SERVICE_NAME"); service != "" {
		out["service.name"] = service
	}
	return out
}

// pairs reads key=value,key=value, percent-encoded as in W3C Baggage. Its error
// does not quote the text.
func pairs(text string) (map[string]string, error) {
	out := map[string]string{}
	for item := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		key, value, ok := strings.Cut(item, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, errPair
		}
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if err != nil {
			return nil, errPair
		}
		if key, err = url.PathUnescape(key); err != nil {
			return nil, errPair
		}
		out[key] = decoded
	}
	return out, nil
}

var errPair = fmt.Errorf("no key=value")
