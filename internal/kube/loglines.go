package kube

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/pintle-dev/pintle/internal/ledger"
)

// longestLine bounds one line in bytes, its timestamp included; longer ones
// come in several pieces with the same time.
const longestLine = 64 << 10

// eachLine reads lines that begin with a timestamp. What stands behind the
// last newline is a line of its own when the log ends there, and is dropped
// when the stream broke: it will be read again.
func eachLine(r io.Reader, each func(ledger.Line)) error {
	in := bufio.NewReaderSize(r, longestLine)
	var at time.Time
	inside := false // a longer line whose head was read already
	var rest []byte // the bytes of a character that was cut in two
	for {
		chunk, err := in.ReadSlice('\n')
		ended := err == nil || errors.Is(err, io.EOF)
		if !ended && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if len(chunk) > 0 || len(rest) > 0 {
			text := bytes.TrimSuffix(chunk, []byte("\n"))
			if !inside {
				at, text = splitTime(text, at)
			}
			text = append(rest, text...)
			rest = nil
			if !ended {
				text, rest = wholeRunes(text)
			}
			if !inside || len(text) > 0 {
				each(ledger.Line{Time: at, Text: string(bytes.TrimSuffix(text, []byte("\r")))})
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		inside = !ended
	}
}

// wholeLines makes a break of an end that comes in the middle of a line: while
// a container runs, whoever stands between it and us has given up there.
type wholeLines struct {
	io.Reader
	last byte
}

func (w *wholeLines) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.last = p[n-1]
	}
	if errors.Is(err, io.EOF) && w.last != 0 && w.last != '\n' {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// splitTime reads the timestamp; text without one belongs to the time before.
func splitTime(text []byte, before time.Time) (time.Time, []byte) {
	stamp, rest, _ := bytes.Cut(text, []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return before, text
	}
	return at, rest
}

// wholeRunes cuts a character off the end that is not complete.
func wholeRunes(text []byte) (whole, rest []byte) {
	for i := 1; i <= utf8.UTFMax && i <= len(text); i++ {
		b := text[len(text)-i]
		if utf8.RuneStart(b) {
			if !utf8.FullRune(text[len(text)-i:]) {
				return text[:len(text)-i], bytes.Clone(text[len(text)-i:])
			}
			break
		}
	}
	return text, nil
}
