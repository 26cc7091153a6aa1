package kube

import (
	"sync"
	"time"
)

// idleness ends the following of a log whose container has ended: at once, or,
// where a long log may still be on its way, when nothing comes any more.
type idleness struct {
	mu    sync.Mutex
	timer *time.Timer
	bytes int
	last  time.Time
	ended bool
}

const (
	// longLog is how many bytes make a log that may be behind.
	longLog = 1 << 20
	// longQuiet is how long such a stream may say nothing before it counts as
	// read: the node or the network may be short of breath.
	longQuiet = 2 * time.Second
)

func newIdleness(cancel func()) *idleness {
	i := &idleness{timer: time.AfterFunc(time.Hour, cancel)}
	i.timer.Stop()
	return i
}

// line notes that something came.
func (i *idleness) line(bytes int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.bytes += bytes
	i.last = time.Now()
	if i.ended {
		i.timer.Reset(i.patience())
	}
}

// end notes that the container has ended; it may be called again.
func (i *idleness) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended {
		return
	}
	i.ended = true
	i.timer.Reset(max(0, i.patience()-time.Since(i.last)))
}

func (i *idleness) patience() time.Duration {
	if i.bytes < longLog {
		return 0
	}
	return longQuiet
}

// long tells a log that may have been behind.
func (i *idleness) long() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.bytes >= longLog
}

func (i *idleness) stop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.timer.Stop()
}
