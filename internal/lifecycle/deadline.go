package lifecycle

import (
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
)

// deadline stops an operation when its time is over.
type deadline struct {
	limit time.Duration
	timer *time.Timer
	// hit is closed when the time was over; done when nobody waits any more.
	hit, done chan struct{}
	once      sync.Once
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

// blame notes in the failure that it was the time limit that stopped the run.
func (d *deadline) blame(f *Failed, result *engine.Result) {
	select {
	case <-d.hit:
		if result.Interrupted {
			f.Deadline, f.Interrupted = d.limit, false
		}
	default:
	}
}
