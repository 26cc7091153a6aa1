package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/ledger"
)

const (
	// ledgerLimit bounds one write to the ledger, ledgerPace is how long a run
	// waits at most for others to be written with.
	ledgerLimit = 15 * time.Second
	ledgerPace  = 10 * time.Second
	// eventsLimit bounds the reading of the events of a run that has succeeded.
	eventsLimit = 5 * time.Second
)

// scribe hands runs to the ledger beside the engine's work: one write for the
// hooks of an event, one at the end. A write that fails is tried again with the
// next one; at the end the user is told. A nil scribe keeps nothing.
type scribe struct {
	engine *Engine

	mu      sync.Mutex
	waiting []ledger.Run
	since   time.Time
	// begun counts preparations that are under way.
	begun sync.WaitGroup
	// done is closed when the write that is under way has ended; nil when none is.
	done chan struct{}
	err  error
}

// begin prepares the ledger beside the work, so that the end of an operation
// need not wait for that.
func (s *scribe) begin(ctx context.Context, release string, revision int) {
	if s == nil {
		return
	}
	s.begun.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerLimit)
		defer cancel()
		s.engine.opts.Ledger.Begin(ctx, release, revision)
	})
}

// add takes a run in. Runs that have waited for long are written now, since a
// run of Pintle that is killed loses what is not.
func (s *scribe) add(ctx context.Context, r ledger.Run) {
	if s == nil {
		return
	}
	s.mu.Lock()
	if len(s.waiting) == 0 {
		s.since = s.engine.now()
	}
	s.waiting = append(s.waiting, r)
	overdue := s.engine.now().Sub(s.since) >= ledgerPace
	s.mu.Unlock()
	if overdue {
		s.write(ctx)
	}
}

// write begins to write what waits, unless that is being done already. It does
// not wait for the end.
func (s *scribe) write(ctx context.Context) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done != nil || len(s.waiting) == 0 {
		return
	}
	runs := s.waiting
	s.waiting, s.done = nil, make(chan struct{})
	go s.put(ctx, runs)
}

// secure returns when all that was added is written, or cannot be now: what it is
// about may be deleted next, and with it the only other copy. When ctx ends nothing
// more is deleted, and nothing is waited for.
func (s *scribe) secure(ctx context.Context) {
	if s == nil {
		return
	}
	s.settled(ctx) // it may have begun before the last run came
	s.write(ctx)
	s.settled(ctx)
}

// settled returns when no write is under way, or ctx has ended.
func (s *scribe) settled(ctx context.Context) {
	s.mu.Lock()
	done := s.done
	s.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// put writes runs. The context outlives an interruption, for a bounded time.
func (s *scribe) put(ctx context.Context, runs []ledger.Run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerLimit)
	defer cancel()
	s.engine.addEvents(ctx, runs)
	err := s.engine.opts.Ledger.Append(ctx, runs)
	var failed *ledger.WriteError
	if errors.As(err, &failed) && failed.Lasting {
		s.engine.noticeLedger(err)
		err = nil // trying again would not help
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = err; err != nil {
		s.waiting = append(runs, s.waiting...)
	}
	close(s.done)
	s.done = nil
}

// finish writes what is left and returns when that has ended. What cannot be
// written is told and dropped.
func (s *scribe) finish(ctx context.Context) {
	if s == nil {
		return
	}
	s.begun.Wait()
	for last := false; ; {
		s.mu.Lock()
		done, left := s.done, len(s.waiting)
		s.mu.Unlock()
		switch {
		case done != nil:
			<-done
		case left == 0:
			return
		case last:
			s.giveUp()
			return
		default:
			last = true
			s.write(ctx)
		}
	}
}

func (s *scribe) giveUp() {
	s.mu.Lock()
	err := s.err
	s.waiting = nil
	s.mu.Unlock()
	s.engine.noticeLedger(err)
}

// noticeLedger tells once that what hooks did is not kept.
func (e *Engine) noticeLedger(err error) {
	e.mu.Lock()
	noticed := e.noticed
	e.noticed = true
	e.mu.Unlock()
	if !noticed {
		e.tellLedger(err, "the release is not affected; the logs of its hooks and tests are not kept for later")
	}
}

// tellLedger tells why a ledger could not be written, and what that means.
func (e *Engine) tellLedger(err error, detail string) {
	if err != nil && !errors.Is(err, context.Canceled) {
		e.sink(event.Notice{Problem: diag.Problem{Severity: diag.Warning, Summary: err.Error(), Detail: detail}})
	}
}

// addEvents reads the events about runs that have none yet: a failed run has
// them from its explanation.
func (e *Engine) addEvents(ctx context.Context, runs []ledger.Run) {
	ctx, cancel := context.WithTimeout(ctx, eventsLimit)
	defer cancel()
	limit := make(chan struct{}, 4)
	var group sync.WaitGroup
	for i := range runs {
		if len(runs[i].Events) > 0 || len(runs[i].Pods) == 0 {
			continue
		}
		group.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			runs[i].Events = e.eventsOf(ctx, runs[i])
			for k := range runs[i].Events {
				runs[i].Events[k].Message = e.masker.get().Text(runs[i].Events[k].Message)
			}
		})
	}
	group.Wait()
}

func (e *Engine) eventsOf(ctx context.Context, r ledger.Run) []ledger.ObjectEvent {
	out, err := e.cluster.Events(ctx, r.Object, r.UID)
	if err != nil {
		return nil // evidence only: not everyone may read events
	}
	for _, p := range r.Pods {
		if p.UID == r.UID {
			continue
		}
		about := r.Object
		about.Group, about.Version, about.Kind, about.Namespace, about.Name = "", "v1", "Pod", p.Namespace, p.Name
		more, err := e.cluster.Events(ctx, about, p.UID)
		if err != nil {
			return out
		}
		out = append(out, more...)
	}
	return out
}
