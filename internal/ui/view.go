package ui

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/event"
)

// View shows a run to people. Sink may be called from any goroutine and never
// blocks; Close shows what has come so far and returns when nothing more will
// be written. Events after Close are dropped. Closing twice is allowed.
type View interface {
	Sink(event.Event)
	Close()
}

// NewView picks the view that fits the streams: on a terminal the live one,
// else the plain one.
func NewView(streams Streams, opts Options) View {
	if streams.IsTerminal {
		return NewLive(streams, opts)
	}
	return NewPlain(streams, opts)
}

// Plain writes one line for each change, for pipes, files and CI. Lines are
// never rewritten; their columns are stable and meant for grep.
type Plain struct {
	queue *queue
	done  chan struct{}
}

// NewPlain starts a plain view; Close ends it.
func NewPlain(streams Streams, opts Options) *Plain {
	p := &Plain{queue: newQueue(), done: make(chan struct{})}
	go p.run(streams, newNarrator(opts, false))
	return p
}

// Sink takes an event.
func (p *Plain) Sink(e event.Event) { p.queue.put(e) }

// Close writes what is left.
func (p *Plain) Close() {
	p.queue.close()
	<-p.done
}

func (p *Plain) run(streams Streams, n *narrator) {
	defer close(p.done)
	s := style{streams.Color}
	for range p.queue.wake {
		events, dropped, closed := p.queue.drain()
		for _, e := range events {
			lines := n.tell(e)
			write(streams, s, n.subjects, lines)
		}
		if dropped > 0 {
			write(streams, s, n.subjects, []line{droppedLine(dropped)})
		}
		if closed {
			return
		}
	}
}

func droppedLine(n int) line {
	return line{raw: fmt.Sprintf("... %d log lines not shown: they came faster than they could be written ...", n), look: faint}
}
