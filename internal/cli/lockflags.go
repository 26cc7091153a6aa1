package cli

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/spf13/pflag"
)

var _ lock.Leases = (*kube.Objects)(nil)

// lockFlags say what an operation does about other runs on its release, and
// about what runs that are gone have left.
type lockFlags struct {
	wait        time.Duration
	staleAfter  time.Duration
	stopOrphans bool
	onInterrupt string
}

// What happens to a running hook at the first signal.
const (
	interruptStops  = "stop"
	interruptLeaves = "leave"
)

// addLocking declares the flags of operations that change a release.
func (a *app) addLocking(f *pflag.FlagSet) {
	l := &a.locking
	l.onInterrupt = interruptStops
	f.DurationVar(&l.wait, "lock-wait", 0, "how long to wait for another run on the release that is at work; 0 refuses at once")
	f.DurationVar(&l.staleAfter, "stale-after", lifecycle.DefaultStaleAfter,
		"take over a revision that Helm left pending when it has not been touched for this long and none of its hooks runs")
	f.BoolVar(&l.stopOrphans, "stop-orphans", false, "stop hooks that a run which is gone has left running, instead of waiting for their end")
	f.Var(&choice{value: &l.onInterrupt, known: []string{interruptStops, interruptLeaves}}, "on-interrupt",
		"what happens to a running hook when you interrupt: stop it, or leave it")
}

// applyLocking makes the service take locks as the flags say.
func (a *app) applyLocking(s *lifecycle.Service, client *kube.Client) {
	s.StaleAfter, s.StopOrphans = a.locking.staleAfter, a.locking.stopOrphans
	s.Engine.LeaveRunning = a.locking.onInterrupt == interruptLeaves
	s.Engine.Checkpoint = crashPoint(a.env)
	if a.global.recordDriver == "memory" {
		return // what nobody else can see needs no lock
	}
	opts := lock.DefaultOptions()
	opts.Wait = a.locking.wait
	opts.Waiting = func(state lock.State, renewed bool) { s.Sink(event.Notice{Problem: a.waiting(state, renewed, opts)}) }
	s.Locks = lock.New(client.Objects(), client.Namespace(), lock.Self(a.env), time.Now, opts)
}

// waiting words why an operation does not begin yet.
func (a *app) waiting(state lock.State, renewed bool, opts lock.Options) diag.Problem {
	p := diag.Problem{
		Severity: diag.Note, Summary: "waiting for the lock of release " + state.Release,
		Detail: lock.Describe(state, time.Now()),
	}
	if renewed {
		p.Detail += fmt.Sprintf("; waiting for up to %s", opts.Wait)
	} else {
		p.Detail += fmt.Sprintf("; if that run gives no sign of life, its lock is taken over after %s", opts.Expiry)
	}
	return p
}

// explainBusy says who works on the release, and how to go on.
func (a *app) explainBusy(b *lock.BusyError) diag.Problem {
	p := diag.Problem{
		Summary: fmt.Sprintf("release %s is locked by another run", b.State.Release),
		Detail: lines(lock.Describe(b.State, b.Now),
			"next: wait for it with --lock-wait 10m, or stop it before its next change with `"+a.command("unlock", b.State.Release)+"`"),
	}
	if b.State.Holder.Link != "" {
		p.Detail += "\nsee " + b.State.Holder.Link
	}
	return p
}

// explainLost says that another run has taken the release over.
func (a *app) explainLost(f *lifecycle.Failed, l *lock.LostError) diag.Problem {
	return diag.Problem{
		Summary: fmt.Sprintf("%s of %s was stopped: the release is not ours to change any more", f.Operation, f.Release),
		Detail: lines(l.Error(), "nothing was changed after that, and hooks that ran were left running",
			"next: see `"+a.command("history", f.Release)+"`"),
	}
}
