package ui

import (
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/pintle-dev/pintle/internal/diag"
)

// WriteProblems prints problems, each with its position and indented detail:
//
//	error: chart/templates/job.yaml:12: unknown hook event "pre-instal"
//	  did you mean "pre-install"?
func WriteProblems(w io.Writer, problems diag.List, color bool) {
	var b strings.Builder
	for _, l := range problemLines(problems) {
		b.WriteString(l.format(style{color}, 0))
		b.WriteByte('\n')
	}
	flush(w, b.String())
}

func problemLines(problems diag.List) []line {
	var out []line
	for _, p := range problems {
		text := p.Severity.String() + ": "
		if at := p.Position(); at != "" {
			text += at + ": "
		}
		out = append(out, line{raw: clean(text + p.Summary), look: severityLook(p.Severity), warning: true})
		if p.Detail == "" {
			continue
		}
		for _, d := range strings.Split(strings.TrimRight(p.Detail, "\n"), "\n") {
			out = append(out, line{raw: "  " + clean(d), warning: true})
		}
	}
	return out
}

func severityLook(s diag.Severity) lipgloss.Style {
	if s == diag.Error {
		return bad
	}
	return warn
}
