package ui

import (
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// line is one line for people: in columns (phase, subject, text, time), or,
// where raw is set, as it is. It is what both views are made of.
type line struct {
	phase, subject, text string
	took                 time.Duration
	timed                bool
	look                 lipgloss.Style
	raw                  string
	// warning sends the line to Err instead of Out.
	warning bool
}

// phaseWidth fits the longest event, "post-rollback".
const phaseWidth = 13

// subjectLimit keeps one long name from pushing everything to the right.
const subjectLimit = 48

// format renders a line in columns; subjects is the width of that column.
func (l line) format(s style, subjects int) string {
	if l.raw != "" || l.phase == "" {
		return s.with(l.look, l.raw)
	}
	text := l.text
	if l.timed {
		text += "  " + elapsed(l.took)
	}
	parts := []string{s.with(faint, pad(l.phase, phaseWidth))}
	if l.subject != "" {
		parts = append(parts, pad(l.subject, subjects))
	}
	if l.timed {
		parts = append(parts, s.with(l.look, l.text)+"  "+s.with(faint, elapsed(l.took)))
	} else {
		parts = append(parts, s.with(l.look, text))
	}
	return strings.TrimRight(strings.Join(parts, "  "), " ")
}

// narrow is the width below which a live line has no room for the phase.
const narrow = 72

// live renders a line of what is under way so that it fits into width. The
// time comes before the text, which is what may be cut off.
func (l line) live(s style, subjects, width int) string {
	if l.phase == "" {
		return s.with(l.look, ansi.Truncate(l.raw, width, "…"))
	}
	phase := pad(l.phase, phaseWidth) + "  "
	if width < narrow {
		phase, subjects = "", min(subjects, width/2)
	}
	head := phase + pad(ansi.Truncate(l.subject, subjects, "…"), subjects) + "  " + padLeft(elapsed(l.took), 6) + "  "
	rest := width - ansi.StringWidth(head)
	if rest <= 0 {
		return ansi.Truncate(head, width, "…")
	}
	return s.with(faint, phase) + strings.TrimPrefix(head, phase) + s.with(l.look, ansi.Truncate(l.text, rest, "…"))
}

func padLeft(text string, width int) string {
	if missing := width - ansi.StringWidth(text); missing > 0 {
		return strings.Repeat(" ", missing) + text
	}
	return text
}

// pad fills up to a width in columns of the screen, not bytes.
func pad(text string, width int) string {
	if missing := width - ansi.StringWidth(text); missing > 0 {
		return text + strings.Repeat(" ", missing)
	}
	return text
}

// write sends formatted lines to where they belong. Errors of the streams are
// dropped: a closed pipe must not fail a release.
func write(streams Streams, s style, subjects int, lines []line) {
	var out, err strings.Builder
	for _, l := range lines {
		to := &out
		if l.warning {
			to = &err
		}
		to.WriteString(l.format(s, subjects))
		to.WriteByte('\n')
	}
	flush(streams.Out, out.String())
	flush(streams.Err, err.String())
}

func flush(w io.Writer, text string) {
	if text != "" && w != nil {
		_, _ = io.WriteString(w, text)
	}
}
