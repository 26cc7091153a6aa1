package ledger

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
