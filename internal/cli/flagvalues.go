package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/ui"
)

// waitMode is the value of --wait, in Helm's words.
type waitMode string

// The modes of --wait. "watcher" and "legacy" mean our wait, "hookOnly" none.
const (
	waitWatcher  waitMode = "watcher"
	waitHookOnly waitMode = "hookOnly"
	waitLegacy   waitMode = "legacy"
)

// String is the present value.
func (w *waitMode) String() string { return string(*w) }

// Type is what the help shows for the value.
func (w *waitMode) Type() string { return "mode" }

// Set takes Helm 4's modes and the booleans of Helm 3.
func (w *waitMode) Set(s string) error {
	switch s {
	case string(waitWatcher), string(waitHookOnly), string(waitLegacy):
		*w = waitMode(s)
	case "true":
		*w = waitWatcher
	case "false":
		*w = waitHookOnly
	default:
		return fmt.Errorf("must be watcher, hookOnly, legacy, true or false")
	}
	return nil
}

// wanted tells whether readiness is awaited.
func (w waitMode) wanted() bool { return w != waitHookOnly }

// hookOverrides are the values of --hook.
type hookOverrides []plan.HookOverride

// String is what was given so far, by name.
func (h *hookOverrides) String() string {
	var names []string
	for _, o := range *h {
		names = append(names, o.Name)
	}
	return strings.Join(names, " ")
}

// Type is what the help shows for the value.
func (h *hookOverrides) Type() string { return "NAME:SETTINGS" }

// Set takes one more.
func (h *hookOverrides) Set(s string) error {
	o, err := plan.ParseHookOverride(s)
	if err != nil {
		return err
	}
	*h = append(*h, o)
	return nil
}

// noOpMode is the value of --no-op.
type noOpMode string

// String is the present value.
func (m *noOpMode) String() string { return string(*m) }

// Type is what the help shows for the value.
func (m *noOpMode) Type() string { return "mode" }

// Set takes run or skip.
func (m *noOpMode) Set(s string) error {
	if s != "run" && s != "skip" {
		return fmt.Errorf("must be run or skip")
	}
	*m = noOpMode(s)
	return nil
}

// format is the value of -o.
type format struct{ value ui.Format }

// String is the present value.
func (f *format) String() string { return string(f.value) }

// Type is what the help shows for the value.
func (f *format) Type() string { return "format" }

// Set takes a known format.
func (f *format) Set(s string) error {
	value, err := ui.ParseFormat(s)
	if err != nil {
		return err
	}
	f.value = value
	return nil
}

// resultFormat is the value of -o where tests are run.
type resultFormat struct{ format }

// Set takes a known format.
func (f *resultFormat) Set(s string) error {
	value, err := ui.ParseResultFormat(s)
	if err != nil {
		return err
	}
	f.value = value
	return nil
}

// logMode is the value of --logs. Helm's --logs of test is a boolean.
type logMode struct{ value ui.LogMode }

// String is the present value.
func (l *logMode) String() string { return string(l.value) }

// Type is what the help shows for the value.
func (l *logMode) Type() string { return "mode" }

// Set takes a known mode.
func (l *logMode) Set(s string) error {
	switch m := ui.LogMode(s); m {
	case ui.LogsAuto, ui.LogsAlways, ui.LogsFailed, ui.LogsNever:
		l.value = m
		return nil
	}
	always, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("must be auto, always, failed or never")
	}
	l.value = ui.LogsAuto
	if always {
		l.value = ui.LogsAlways
	}
	return nil
}

// dryRun is the value of --dry-run.
type dryRun struct {
	mode lifecycle.DryRunMode
	// old tells that it was given as a boolean, which Helm has deprecated.
	old bool
}

// String is the present value.
func (d *dryRun) String() string {
	switch d.mode {
	case lifecycle.DryRunClient:
		return "client"
	case lifecycle.DryRunServer:
		return "server"
	}
	return "none"
}

// Type is what the help shows for the value.
func (d *dryRun) Type() string { return "mode" }

// Set takes Helm 4's modes, and the booleans of Helm 3.
func (d *dryRun) Set(s string) error {
	switch s {
	case "none":
		d.mode, d.old = lifecycle.Run, false
	case "client":
		d.mode, d.old = lifecycle.DryRunClient, false
	case "server":
		d.mode, d.old = lifecycle.DryRunServer, false
	default:
		client, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("must be none, client or server")
		}
		d.mode, d.old = lifecycle.Run, true
		if client {
			d.mode = lifecycle.DryRunClient
		}
	}
	return nil
}

// serverSide is the value of --server-side. Pintle knows no other way.
type serverSide struct{ value string }

// String is the present value.
func (s *serverSide) String() string { return s.value }

// Type is what the help shows for the value.
func (s *serverSide) Type() string { return "mode" }

// Set refuses false.
func (s *serverSide) Set(value string) error {
	if value == "auto" {
		s.value = value
		return nil
	}
	on, err := strconv.ParseBool(value)
	switch {
	case err != nil:
		return fmt.Errorf("must be true or auto")
	case !on:
		return fmt.Errorf("pintle applies server-side only: a release that was applied client-side is migrated on its first upgrade")
	}
	s.value = value
	return nil
}
