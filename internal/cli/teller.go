package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/pintle-dev/pintle/internal/diag"
)

// teller says what belongs to no step of a run: on the error stream, or, while
// a run is shown, through its view, since two who write to one terminal tear
// each other's lines apart.
type teller struct {
	mu   sync.Mutex
	tell func(diag.Problem)
}

// through has everything said in another way and returns how to go back.
func (t *teller) through(tell func(diag.Problem)) (back func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.tell
	t.tell = tell
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.tell = before
	}
}

func (t *teller) say(severity diag.Severity, text string) {
	t.problem(diag.Problem{Severity: severity, Summary: text})
}

// problem tells a problem with all its details.
func (t *teller) problem(p diag.Problem) {
	t.mu.Lock()
	tell := t.tell
	t.mu.Unlock()
	tell(p)
}

// note tells something.
func (t *teller) note(text string) { t.say(diag.Note, text) }

// warn tells something that may be wrong.
func (t *teller) warn(text string) { t.say(diag.Warning, text) }

// logs takes what libraries log through the standard loggers and says it as
// our own messages: warnings always, everything else when more was asked for.
type logs struct {
	*teller
	// verbose is read at each message: flags are parsed after we begin.
	verbose *bool
	attrs   []slog.Attr
}

// takeLogs makes a teller the end of the standard loggers, until back is called.
func takeLogs(t *teller, verbose *bool) (back func()) {
	before := slog.Default()
	slog.SetDefault(slog.New(&logs{teller: t, verbose: verbose}))
	return func() { slog.SetDefault(before) }
}

// Enabled lets everything through that may turn out to be a warning.
func (l *logs) Enabled(_ context.Context, level slog.Level) bool {
	return *l.verbose || level >= slog.LevelInfo
}

// Handle says one message. The log package knows no levels: there the text says
// what is a warning.
func (l *logs) Handle(_ context.Context, r slog.Record) error {
	text, warning := strings.CutPrefix(r.Message, "warning: ")
	warning = warning || r.Level >= slog.LevelWarn
	if !warning && !*l.verbose {
		return nil
	}
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(text, "."))
	add := func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range l.attrs {
		add(a)
	}
	r.Attrs(add)
	if warning {
		l.warn(b.String())
	} else {
		l.note(b.String())
	}
	return nil
}

// WithAttrs keeps attributes for every message.
func (l *logs) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *l
	more.attrs = append(append([]slog.Attr{}, l.attrs...), attrs...)
	return &more
}

// WithGroup drops the group: a reader does not need it.
func (l *logs) WithGroup(string) slog.Handler { return l }
