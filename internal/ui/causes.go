package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/pintle-dev/pintle/internal/health"
)

// causeLines flattens a tree of causes into indented text, a node a line,
// with log lines behind a bar and the next step behind an arrow:
//
//	Job/shop/migrate: it failed 3 times (BackoffLimitExceeded)
//	  Pod/shop/migrate-x2k
//	    container migrate: ended with exit code 3
//	      | ERROR: relation "orders" does not exist
//	      -> see its log
func causeLines(causes []health.Cause, indent string, withLogs bool) []string {
	var out []string
	for _, c := range causes {
		out = append(out, indent+causeText(c))
		inner := indent + "  "
		if withLogs {
			for _, l := range c.Lines {
				out = append(out, inner+"| "+clean(l))
			}
		}
		if c.Advice != "" {
			out = append(out, inner+"-> "+c.Advice)
		}
		out = append(out, causeLines(c.Children, inner, withLogs)...)
	}
	return out
}

// causeText is one node in one line. The reason is left out where the message
// already says it.
func causeText(c health.Cause) string {
	text := c.Subject
	message := strings.ReplaceAll(strings.TrimSpace(c.Message), "\n", " ")
	if message != "" {
		text += ": " + message
	}
	if c.Reason != "" && c.Reason != "Error" && !strings.Contains(message, c.Reason) {
		text += " (" + c.Reason + ")"
	}
	return clean(text)
}

// clean drops escape sequences and control characters: what a container
// writes must not move the cursor or recolour the screen of whoever reads it.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return r
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, ansi.Strip(text))
}
