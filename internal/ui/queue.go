package ui

import (
	"sync"

	"github.com/pintle-dev/pintle/internal/event"
)

// logBacklog is how many log lines may wait for a slow reader. Beyond it log
// lines are dropped and counted: a hook that prints without end must neither
// fill the memory nor hold up the release. Other events are few and never
// dropped.
const logBacklog = 10000

// queue takes events from any goroutine without ever blocking and hands them,
// in order, to one reader.
type queue struct {
	mu      sync.Mutex
	events  []event.Event
	logs    int
	dropped int
	closed  bool
	// wake holds a token when there is something new.
	wake chan struct{}
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put appends an event; after close it does nothing.
func (q *queue) put(e event.Event) {
	q.mu.Lock()
	if !q.closed {
		q.take(e)
	}
	q.mu.Unlock()
	q.signal()
}

func (q *queue) take(e event.Event) {
	if _, isLog := e.(event.LogLine); isLog {
		if q.logs >= logBacklog {
			q.dropped++
			return
		}
		q.logs++
	}
	q.events = append(q.events, e)
}

// drain gives what has come since the last call, how many log lines were
// dropped meanwhile, and whether the queue is closed, so that nothing follows.
func (q *queue) drain() (events []event.Event, dropped int, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	events, dropped, closed = q.events, q.dropped, q.closed
	q.events, q.logs, q.dropped = nil, 0, 0
	return events, dropped, closed
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
