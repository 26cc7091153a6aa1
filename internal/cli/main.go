package cli

import (
	"context"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/ui"
	"golang.org/x/term"
)

// Streams are the standard streams of the process, and what they can do.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// OutTerminal and ErrTerminal tell terminals that can move their cursor.
	OutTerminal, ErrTerminal bool
	// Width asks for the terminal's columns; nil or 0 means unknown.
	Width func() int
	// Height asks for its rows.
	Height func() int
	// ReadSecret reads a line from the terminal without showing it; nil where
	// standard input is none.
	ReadSecret func() (string, error)
}

// Env looks up an environment variable, as os.LookupEnv does.
type Env func(name string) (value string, set bool)

// text is the value of a variable, empty when it is not set.
func (e Env) text(name string) string {
	value, _ := e(name)
	return value
}

// OSStreams are those of this process.
func OSStreams() Streams {
	// On Windows TERM is not set and terminals are not dumb.
	dumb := os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" && runtime.GOOS != "windows"
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		OutTerminal: !dumb && term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: !dumb && term.IsTerminal(int(os.Stderr.Fd())),
		ReadSecret:  readSecret(os.Stdin, term.IsTerminal(int(os.Stdin.Fd())), term.ReadPassword),
		Width:       func() int { width, _ := terminalSize(); return width },
		Height:      func() int { _, height := terminalSize(); return height },
	}
}

// terminalSize is 0, 0 without a terminal.
func terminalSize() (width, height int) {
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil {
			return width, height
		}
	}
	return 0, 0
}

// Main runs one command line, which begins with the program's name, and returns
// the exit code. Ending ctx ends everything at once, without a record of it: the
// user's own way of stopping are signals, which operations catch themselves.
func Main(ctx context.Context, args []string, streams Streams, env Env) int {
	if len(args) == 2 && args[1] == templateServer {
		return chart.ServeTemplates(streams.In, streams.Out)
	}
	a := newApp(streams, env)
	a.asHelm = isDropIn(args[0], env)
	return a.main(ctx, args[1:])
}

func (a *app) main(ctx context.Context, args []string) int {
	defer a.signals.release()
	defer a.closeDatabase()
	root := newRootFor(a, args)
	a.adopt(root, args)
	root.SetArgs(args)
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.Err)
	defer takeLogs(&a.teller, &a.global.debug)()
	defer a.measured()
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		a.endTrace(ctx, exitDone, nil)
		return exitDone
	}
	if !a.running {
		// Nothing of ours has run: what failed is cobra's reading of the arguments.
		err = asUsage(err)
	}
	problems, code := a.explain(err), exitCode(err, a.signals.caught())
	if a.asHelm {
		code = helmCode(err, code)
		a.writeHelmError(cmd, err, problems)
	} else {
		ui.WriteProblems(a.streams.Err, problems, a.colorErr())
	}
	a.endTrace(ctx, code, problems)
	return code
}

// lines joins the parts of a help text.
func lines(text ...string) string { return strings.Join(text, "\n") }
