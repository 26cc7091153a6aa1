package cli

import (
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/release/store/postgres"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

// app is what the commands of one run share.
type app struct {
	teller
	streams Streams
	env     Env
	// asHelm makes us a drop-in for Helm: its words on standard output, its exit codes.
	asHelm   bool
	signals  *signals
	global   globalFlags
	locking  lockFlags
	keeping  keepFlags
	patience patienceFlags
	// logDir is where the logs of hooks and tests are written; empty for nowhere.
	logDir string
	// database holds the records with HELM_DRIVER=sql; nil before it is needed.
	database *postgres.Database
	// watch notes what --timings shows, profile writes what --profile asks for;
	// both are nil unless asked for.
	watch   *stopwatch
	profile *profile
	// tracing is what is sent to a collector.
	tracing tracing
	// running is set when a command's own code has started: until then every
	// error is about the arguments.
	running bool
}

func newApp(streams Streams, env Env) *app {
	a := &app{streams: streams, env: env, global: globalDefaults(env)}
	a.teller = teller{tell: func(p diag.Problem) { ui.WriteProblems(streams.Err, diag.List{p}, a.colorErr()) }}
	a.signals = newSignals(a.note)
	return a
}

// body is the part of a command that runs once its arguments are understood.
type body func(cmd *cobra.Command, args []string) error

// run marks where the reading of arguments ends and the work begins.
func (a *app) run(f body) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.running = true
		a.tracing.command, a.tracing.began = cmd.CommandPath(), time.Now()
		if err := a.measure(); err != nil {
			return err
		}
		a.warnOutdated(cmd)
		return f(cmd, args)
	}
}

// colorOut tells whether results are coloured.
func (a *app) colorOut() bool { return a.colored(a.streams.OutTerminal) }

func (a *app) colorErr() bool { return a.colored(a.streams.ErrTerminal) }

func (a *app) colored(terminal bool) bool {
	switch a.global.color {
	case "always":
		return true
	case "never":
		return false
	}
	return terminal
}

// results are the streams for a run whose result is written to Out in that
// format: unless it is for people who know whom they have called, Out holds
// nothing but the result, and progress goes to Err.
func (a *app) results(f ui.Format) ui.Streams {
	s := ui.Streams{
		Out: a.streams.Out, Err: a.streams.Err, Width: a.streams.Width, Height: a.streams.Height,
		IsTerminal: a.streams.OutTerminal && a.streams.ErrTerminal, Color: a.colorOut(),
	}
	if !f.ForPeople() || a.asHelm {
		s.Out, s.IsTerminal, s.Color = a.streams.Err, a.streams.ErrTerminal, a.colorErr()
	}
	return s
}
