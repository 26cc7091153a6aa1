package cli

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/telemetry"
)

// tracing is what this run of the program sends to a collector.
type tracing struct {
	// command is the one that was called, since when.
	command string
	began   time.Time
	asked   bool
	// run is nil while nothing is sent: before an operation begins, and where
	// the environment asks for nothing.
	run *telemetry.Run
}

// trace has an operation told to a collector, if the environment names one. A
// dry run is none.
func (s *session) trace(ctx context.Context, release string, mode lifecycle.DryRunMode) {
	t := &s.app.tracing
	if mode != lifecycle.Run {
		return
	}
	if !t.asked { // the operations of one run of the program are one trace
		t.asked = true
		settings, problems := telemetry.Read(s.app.env.text, Version())
		for _, p := range problems {
			s.Sink(event.Notice{Problem: p})
		}
		t.run = telemetry.Start(ctx, settings, telemetry.Command{Name: t.command, Namespace: s.namespace, Started: t.began}, Version())
	}
	if t.run == nil {
		return
	}
	t.run.About(release)
	show := s.Sink
	s.Sink = func(e event.Event) {
		show(e)
		t.run.Sink(e)
	}
}

// hurriedFlush bounds the wait for a collector after an interruption.
const hurriedFlush = time.Second

// endTrace sends what is left, for a bounded time and until a signal comes, and
// tells what did not arrive. The exit code stays what it is.
func (a *app) endTrace(ctx context.Context, code int, problems diag.List) {
	if a.tracing.run == nil {
		return
	}
	interrupted := a.signals.caught() != nil
	a.signals.release() // there is nothing left that they could stop in two stages
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if interrupted {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hurriedFlush)
		defer cancel()
	}
	var cause []string
	for _, p := range problems {
		cause = append(cause, p.Error())
	}
	lost := a.tracing.run.End(ctx, telemetry.Result{
		ExitCode: code, Outcome: outcomeWords[code], Cause: strings.Join(cause, "\n"), Ended: time.Now(),
	})
	for _, p := range lost {
		a.problem(p)
	}
}

// outcomeWords are a machine's words for the exit codes.
var outcomeWords = map[int]string{
	exitDone: "done", exitFailed: "failed", exitUsage: "usage", exitHook: "hook_failed", exitTest: "test_failed", exitNotReady: "not_ready",
	exitLocked: "locked", exitRefused: "refused", exitRolledBack: "rolled_back", exitRollbackFailed: "rollback_failed",
	exitInterrupted: "interrupted", exitTerminated: "terminated",
}
