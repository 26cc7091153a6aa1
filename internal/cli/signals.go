package cli

import (
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/pintle-dev/pintle/internal/lifecycle"
)

// signals turns SIGINT, SIGTERM and SIGHUP into the two stages in which operations
// stop. Nothing is caught before an operation asks for it: a command that only
// reads ends at the first signal, as any program does.
type signals struct {
	stop  chan struct{}
	abort chan struct{}
	from  chan os.Signal
	pipe  chan os.Signal
	done  chan struct{}

	tell func(text string)

	mu    sync.Mutex
	first os.Signal
}

func newSignals(tell func(text string)) *signals {
	return &signals{tell: tell, stop: make(chan struct{}), abort: make(chan struct{})}
}

// catch starts catching signals, until release.
func (s *signals) catch() lifecycle.Signals {
	if s.from == nil {
		s.from, s.pipe, s.done = make(chan os.Signal, 4), make(chan os.Signal, 1), make(chan struct{})
		signal.Notify(s.from, os.Interrupt, syscall.SIGTERM)
		if !signal.Ignored(syscall.SIGHUP) { // under nohup the run goes on
			signal.Notify(s.from, syscall.SIGHUP)
		}
		// A reader of our output that goes away must not kill us in the middle of
		// a release: what cannot be written is lost, and that is all.
		signal.Notify(s.pipe, syscall.SIGPIPE)
		go s.listen(s.from, s.done)
	}
	return lifecycle.Signals{Stop: s.stop, Abort: s.abort}
}

func (s *signals) listen(from <-chan os.Signal, done <-chan struct{}) {
	count := 0
	for {
		select {
		case <-done:
			return
		case sig := <-from:
			count++
			s.take(sig, count)
		}
	}
}

// take acts on the first and second signal; more change nothing.
func (s *signals) take(sig os.Signal, count int) {
	switch count {
	case 1:
		s.mu.Lock()
		s.first = sig
		s.mu.Unlock()
		s.tell("stopping: what runs is being stopped and the outcome recorded; once more to leave at once")
		close(s.stop)
	case 2:
		s.tell("leaving at once")
		close(s.abort)
	}
}

// release gives the signals back.
func (s *signals) release() {
	if s.from != nil {
		signal.Stop(s.from)
		signal.Stop(s.pipe)
		close(s.done)
		s.from = nil
	}
}

// caught is the first signal, nil when there was none.
func (s *signals) caught() os.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}
