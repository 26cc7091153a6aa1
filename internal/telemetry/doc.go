// Package telemetry sends what a run did to an OpenTelemetry collector: one
// trace, and the logs of hooks and tests as log records. Where to is said by
// the standard OTEL_* variables; without them nothing is sent and nothing is
// started.
//
// It is a sink of events and decides nothing. It never holds a run up: what
// comes faster than it can be sent is dropped and counted, and the end waits for
// a collector for a bounded time. What it is given has been masked already. It
// prints nothing: what the user should know is returned.
package telemetry
