package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Limits bounds what a Log keeps of one container, in bytes of text.
type Limits struct {
	Head int
	Tail int
}

// DefaultLimits keeps the first 4 KiB and the last 64 KiB of each container.
func DefaultLimits() Limits { return Limits{Head: 4 << 10, Tail: 64 << 10} }

// Log keeps the head and the tail of a container's output in bounded memory.
// The zero value, with no limits, keeps nothing but the counts. It is not
// safe for concurrent use.
type Log struct {
	Limits Limits
	// Lines and Bytes count all output, kept or not.
	Lines int
	Bytes int64

	head, tail         []Line
	headSize, tailSize int
	dropped            int
}

// Add appends one line.
func (l *Log) Add(line Line) {
	size := len(line.Text) + 1
	l.Lines++
	l.Bytes += int64(size)
	if len(l.tail) == 0 && l.dropped == 0 && l.headSize+size <= l.Limits.Head {
		l.head = append(l.head, line)
		l.headSize += size
		return
	}
	if size > l.Limits.Tail {
		line.Text, size = line.Text[:max(0, l.Limits.Tail-1)], l.Limits.Tail
	}
	l.tail = append(l.tail, line)
	l.tailSize += size
	for l.tailSize > l.Limits.Tail && len(l.tail) > 0 {
		l.tailSize -= len(l.tail[0].Text) + 1
		l.tail[0] = Line{} // lets the text go before append moves the slice
		l.tail = l.tail[1:]
		l.dropped++
	}
}

// Dropped is the number of lines between head and tail that were not kept.
func (l *Log) Dropped() int { return l.dropped }

// Kept are the kept lines in order, head first; Dropped lines are missing
// after the first Head of them.
func (l *Log) Kept() (head, tail []Line) { return l.head, l.tail }

// Last are at most n of the latest kept lines.
func (l *Log) Last(n int) []Line {
	all := l.tail
	if len(all) < n && l.dropped == 0 {
		all = append(append([]Line{}, l.head...), l.tail...)
	}
	return all[max(0, len(all)-n):]
}

// IsZero tells that the container said nothing.
func (l Log) IsZero() bool { return l.Lines == 0 }

// cut gives the log again with lower limits.
func (l Log) cut(to Limits) Log {
	out := Log{Limits: to}
	for _, line := range l.head {
		out.Add(line)
	}
	if l.dropped > 0 {
		out.dropped = l.dropped // what follows must not join the head
	}
	for _, line := range l.tail {
		out.Add(line)
	}
	out.Lines, out.Bytes = l.Lines, l.Bytes
	return out
}

// storedLog is a Log as it is stored: lines are pairs of milliseconds since
// Start and the text.
type storedLog struct {
	Lines   int          `json:"lines"`
	Bytes   int64        `json:"bytes"`
	Dropped int          `json:"dropped,omitempty"`
	Start   time.Time    `json:"start"`
	Head    []storedLine `json:"head,omitempty"`
	Tail    []storedLine `json:"tail,omitempty"`
}

type storedLine struct {
	after int64
	text  string
}

// MarshalJSON writes the pair.
func (l storedLine) MarshalJSON() ([]byte, error) { return json.Marshal([2]any{l.after, l.text}) }

// UnmarshalJSON reads the pair.
func (l *storedLine) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) < 2 {
		return fmt.Errorf("a log line must be [milliseconds, text]")
	}
	if err := json.Unmarshal(pair[0], &l.after); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &l.text)
}

// MarshalJSON writes what is kept, and the counts of what is not. Times are
// kept to the millisecond.
func (l Log) MarshalJSON() ([]byte, error) {
	s := storedLog{Lines: l.Lines, Bytes: l.Bytes, Dropped: l.dropped}
	if first := slices.Concat(l.head, l.tail); len(first) > 0 {
		s.Start = first[0].Time.UTC()
	}
	for _, line := range l.head {
		s.Head = append(s.Head, storedLine{line.Time.Sub(s.Start).Milliseconds(), line.Text})
	}
	for _, line := range l.tail {
		s.Tail = append(s.Tail, storedLine{line.Time.Sub(s.Start).Milliseconds(), line.Text})
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote. Limits are not stored.
func (l *Log) UnmarshalJSON(data []byte) error {
	var s storedLog
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*l = Log{Lines: s.Lines, Bytes: s.Bytes, dropped: s.Dropped}
	l.head, l.headSize = restore(s.Head, s.Start)
	l.tail, l.tailSize = restore(s.Tail, s.Start)
	return nil
}

func restore(stored []storedLine, start time.Time) (lines []Line, size int) {
	for _, s := range stored {
		lines = append(lines, Line{Time: start.Add(time.Duration(s.after) * time.Millisecond), Text: s.text})
		size += len(s.text) + 1
	}
	return lines, size
}
