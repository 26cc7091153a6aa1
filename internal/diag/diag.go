// Package diag describes problems that a user can fix: what is wrong, where,
// and what to do. Problems are collected into a List, which travels as an
// error, so that a user sees all of them at once instead of the first only.
// It imports nothing of Pintle and formats no output beyond one line of text.
package diag

import (
	"errors"
	"fmt"
	"strings"
)

// Severity tells whether a problem stops the operation.
type Severity int

const (
	// Error stops the operation before anything is touched.
	Error Severity = iota
	// Warning is shown and the operation goes on.
	Warning
	// Note is shown for the user to know; nothing is wrong.
	Note
)

// String is "error", "warning" or "note".
func (s Severity) String() string {
	return [...]string{"error", "warning", "note"}[s]
}

// Problem is one thing that a user can fix. Summary is one sentence without a
// final full stop; Detail, if any, tells more over one or several lines; File
// is a path as the user knows it (a template's path inside its chart, a values
// file), Line is 1-based, 0 when unknown. Rendered tells that Line counts
// lines of what the template rendered, not of the template itself.
type Problem struct {
	Severity Severity
	Summary  string
	Detail   string
	File     string
	Line     int
	Rendered bool
}

// Position is "file", "file:12" or "file:12 (rendered)"; empty without a file.
func (p Problem) Position() string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File
	case p.Rendered:
		return fmt.Sprintf("%s:%d (rendered)", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
}

// Error is the problem in one line: "position: summary: detail".
func (p Problem) Error() string {
	text := p.Summary
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	if at := p.Position(); at != "" {
		return at + ": " + text
	}
	return text
}

// List is a set of problems in the order in which they were found.
type List []Problem

// Errorf appends an error without a position.
func (l *List) Errorf(format string, args ...any) {
	*l = append(*l, Problem{Summary: fmt.Sprintf(format, args...)})
}

// Warnf appends a warning without a position.
func (l *List) Warnf(format string, args ...any) {
	*l = append(*l, Problem{Severity: Warning, Summary: fmt.Sprintf(format, args...)})
}

// Add appends problems as they are.
func (l *List) Add(problems ...Problem) { *l = append(*l, problems...) }

// Errors are those that stop the operation.
func (l List) Errors() List { return l.of(Error) }

// Warnings are those that do not, notes included.
func (l List) Warnings() List { return append(l.of(Warning), l.of(Note)...) }

// Err is nil when the list holds no error (warnings alone are not one), else
// a List of the errors alone.
func (l List) Err() error {
	errs := l.Errors()
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// Error joins the problems, a line each.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, p := range l {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Problems finds the problems in an error: those of a List or a Problem
// anywhere in its chain; nil where there are none.
func Problems(err error) List {
	var list List
	if errors.As(err, &list) {
		return list
	}
	var p Problem
	if errors.As(err, &p) {
		return List{p}
	}
	return nil
}

func (l List) of(s Severity) List {
	var out List
	for _, p := range l {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}
