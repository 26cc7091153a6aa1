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
