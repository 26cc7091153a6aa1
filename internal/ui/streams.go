// Package ui turns data into text: the events of a run into lines, plain or on
// a terminal, and plans, records and problems into tables and blocks. It
// decides nothing: what it shows was decided elsewhere, and no exit code or
// outcome depends on it. Beside internal/cli it is the only package that
// knows of standard output, colour and width.
package ui

import "io"

// Streams are where output goes and what the places can do.
type Streams struct {
	// Out takes results and progress, Err takes warnings and errors.
	Out, Err io.Writer
	// IsTerminal tells that Out is a terminal that can move its cursor. A dumb
	// one (TERM=dumb) is not.
	IsTerminal bool
	// Width asks for the terminal's present width in columns; nil or 0 means
	// unknown. It is called again for each repaint, so a resize needs no signal.
	Width func() int
	// Height asks for its rows in the same way.
	Height func() int
	// Color allows colours in Out.
	Color bool
}

// defaultHeight is that of a terminal which does not tell.
const defaultHeight = 24

func (s Streams) height() int {
	if s.Height != nil {
		if h := s.Height(); h > 0 {
			return h
		}
	}
	return defaultHeight
}

// width is the usable width, with a default for where none is known.
func (s Streams) width() int {
	if s.Width != nil {
		if w := s.Width(); w > 0 {
			return w
		}
	}
	return 80
}
