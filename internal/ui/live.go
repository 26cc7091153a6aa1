package ui

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/pintle-dev/pintle/internal/event"
)

// Live is the view for terminals. What has ended scrolls by as in the plain
// view; below it, a few lines that are kept up to date show what is under way.
// They are drawn on the view's own clock, ten times a second, whatever the
// number of events; so a resize needs no signal, and nothing is read from the
// terminal. A window too narrow for a line shows its beginning, one too low for
// all lines shows fewer: what has left a screen at its top cannot be replaced.
type Live struct {
	queue *queue
	stop  chan struct{}
	done  chan struct{}
}

// frame is the time between two repaints.
const frame = 100 * time.Millisecond

// NewLive starts a live view; Close ends it and leaves the last lines.
func NewLive(streams Streams, opts Options) *Live {
	v := &Live{queue: newQueue(), stop: make(chan struct{}), done: make(chan struct{})}
	c := &canvas{streams: streams, style: style{streams.Color}}
	go v.run(c, newNarrator(opts, true), newBoard(opts))
	return v
}

// Sink takes an event.
func (v *Live) Sink(e event.Event) { v.queue.put(e) }

// Close draws what is left, without the lines of what is under way.
func (v *Live) Close() {
	v.queue.close()
	<-v.done
}

func (v *Live) run(c *canvas, n *narrator, b *board) {
	defer close(v.done)
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for {
		<-tick.C
		events, dropped, closed := v.queue.drain()
		var lines []line
		for _, e := range events {
			lines = append(lines, n.tell(e)...)
			b.take(e)
		}
		if dropped > 0 {
			lines = append(lines, droppedLine(dropped))
		}
		if closed {
			c.draw(lines, nil, n.subjects)
			return
		}
		c.draw(lines, b.lines(time.Now(), n, c.streams.height()-1), n.subjects)
	}
}

// canvas draws on a terminal: lines that stay, and below them lines that are
// replaced each time. It leaves no mode of the terminal changed between two
// writes, so that a process which dies leaves nothing behind to repair.
type canvas struct {
	streams Streams
	style   style
	// drawn are the replaceable lines now on the screen.
	drawn []string
}

const (
	upOne      = "\x1b[A"
	eraseLine  = "\x1b[2K"
	eraseBelow = "\x1b[J"
)

// draw replaces the live lines in one write, so that the screen never shows
// half a frame. Nothing is written when nothing has changed.
func (c *canvas) draw(stay []line, live []line, subjects int) {
	width := c.streams.width()
	next := make([]string, len(live))
	for i, l := range live {
		next[i] = l.live(c.style, subjects, width-1)
	}
	if len(stay) == 0 && equal(next, c.drawn) {
		return
	}
	var b strings.Builder
	b.WriteString(c.back(width))
	for _, l := range stay {
		// Warnings go to the same screen: a write to Err beside the live lines
		// would tear them apart.
		b.WriteString(l.format(c.style, subjects))
		b.WriteString("\n")
	}
	for _, l := range next {
		b.WriteString(l)
		b.WriteString("\n")
	}
	c.drawn = next
	flush(c.streams.Out, b.String())
}

// back moves to where the live lines begin and erases them. After the window
// was made narrower, terminals wrap what was wider, so that a line may cover
// several rows.
func (c *canvas) back(width int) string {
	rows := 0
	for _, l := range c.drawn {
		rows += 1 + max(0, ansi.StringWidth(l)-1)/max(width, 1)
	}
	if rows == 0 {
		return ""
	}
	return "\r" + strings.Repeat(upOne+eraseLine, rows) + eraseBelow
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
