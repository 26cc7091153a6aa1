package lifecycle

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/plan"
)

// LateError means that an operation was stopped at its deadline before its plan
// had begun. The record of a run that was killed before may have been closed.
type LateError struct {
	Operation plan.Operation
	Release   string
	Deadline  time.Duration
}

// Error is one sentence.
func (e *LateError) Error() string {
	return fmt.Sprintf("%s of %s was stopped at its deadline of %s, before anything of it was begun", e.Operation, e.Release, e.Deadline)
}

// deadline stops an operation when its time is over.
type deadline struct {
	limit time.Duration
	timer *time.Timer
	// hit is closed when the time was over; done when nobody waits any more.
	hit, done chan struct{}
	once      sync.Once
}

// within bounds an operation, from its first look at the chart or the cluster
// on, but not what follows its failure. A limit of 0 is none.
func (s *Service) within(limit time.Duration, op plan.Operation, name string, body func(*Service) (*Outcome, error)) (*Outcome, error) {
	bounded := *s
	stop, late := s.stopBy(limit)
	defer late.Stop()
	bounded.Signals.Stop, bounded.deadline = stop, late
	out, err := body(&bounded)
	var failed *Failed
	if late.over() && errors.Is(err, engine.ErrInterrupted) && !errors.As(err, &failed) {
		return out, &LateError{Operation: op, Release: name, Deadline: limit}
	}
	return out, err
}

// stopBy gives a channel that is closed when the user wants to stop or the
// limit has passed, whichever comes first. A limit of 0 is none.
func (s *Service) stopBy(limit time.Duration) (<-chan struct{}, *deadline) {
	d := &deadline{limit: limit, hit: make(chan struct{}), done: make(chan struct{})}
	if limit <= 0 {
		return s.Signals.Stop, d
	}
	asked, stop := s.Signals.Stop, make(chan struct{})
	d.timer = time.AfterFunc(limit, func() { close(d.hit) })
	go func() {
		select {
		case <-asked:
		case <-d.hit:
		case <-d.done:
			return
		}
		close(stop)
	}()
	return stop, d
}

// Stop ends the watch over the time.
func (d *deadline) Stop() {
	d.once.Do(func() {
		if d.timer != nil {
			d.timer.Stop()
		}
		close(d.done)
	})
}

// over tells that the time was over; no deadline ever is.
func (d *deadline) over() bool {
	if d == nil {
		return false
	}
	select {
	case <-d.hit:
		return true
	default:
		return false
	}
}

// blame notes in the failure that it was the time limit that stopped the run.
func (d *deadline) blame(f *Failed, result *engine.Result) {
	if result.Interrupted && d.over() {
		f.Deadline, f.Interrupted = d.limit, false
	}
}
