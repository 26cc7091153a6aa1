package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
)

// LogWriter writes lines of hooks' containers for `hooks logs`. Lines may come
// from several goroutines.
type LogWriter struct {
	out  io.Writer
	opts LogWriterOptions

	mu     sync.Mutex
	prefix bool
	// pods are by the hook.
	pods podNames
}

// LogWriterOptions steer a LogWriter.
type LogWriterOptions struct {
	// Times puts the time before each line.
	Times bool
	// Clean drops escape sequences: a container must not steer a terminal.
	Clean bool
}

// NewLogWriter writes to out.
func NewLogWriter(out io.Writer, opts LogWriterOptions) *LogWriter {
	return &LogWriter{out: out, opts: opts, pods: podNames{}}
}

// Prefix says whether lines begin with [hook/container]; those of a hook's
// second pod and further ones with [pod/container].
func (l *LogWriter) Prefix(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prefix = on
}

// Source is where a line comes from.
type Source struct{ Hook, Pod, Container string }

// Line writes one line.
func (l *LogWriter) Line(from Source, line ledger.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	name := from.Hook
	if !l.pods.isFirst(from.Hook, from.Pod) {
		name = from.Pod
	}
	if l.prefix {
		fmt.Fprintf(&b, "[%s/%s] ", name, from.Container)
	}
	if l.opts.Times && !line.Time.IsZero() {
		b.WriteString(line.Time.UTC().Format("2006-01-02T15:04:05.000Z "))
	}
	text := line.Text
	if l.opts.Clean {
		text = clean(text)
	}
	b.WriteString(text)
	b.WriteByte('\n')
	flush(l.out, b.String())
}

// Run writes what the ledger keeps of a run, container by container.
func (l *LogWriter) Run(r ledger.Run) {
	for _, p := range r.Pods {
		for _, c := range p.Containers {
			from := Source{r.Hook, p.Name, c.Name}
			head, tail := c.Log.Kept()
			for _, line := range head {
				l.Line(from, line)
			}
			if n := c.Log.Dropped(); n > 0 {
				l.Line(from, ledger.Line{Time: time.Time{}, Text: fmt.Sprintf("(%d lines are not kept)", n)})
			}
			for _, line := range tail {
				l.Line(from, line)
			}
		}
	}
}
