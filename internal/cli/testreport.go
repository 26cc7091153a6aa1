package cli

import (
	"io"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/pflag"
)

// reportFlags say where the results of tests go beside the terminal.
type reportFlags struct {
	junitFile string
	dir       string
	annotate  string
}

// annotateAuto finds out by the environment which CI we run in.
const annotateAuto = "auto"

// annotations are the values of --annotate.
var annotations = []string{annotateAuto, string(ui.AnnotateGitHub), string(ui.AnnotateGitLab), string(ui.AnnotateNone)}

func (r *reportFlags) add(f *pflag.FlagSet, prefix string) {
	f.StringVar(&r.junitFile, prefix+"junit-file", "", "write the results of tests into this file, as JUnit XML")
	f.StringVar(&r.dir, prefix+"report-dir", "", "write a file for the log of each test, results.json and junit.xml into this folder")
	r.annotate = annotateAuto
	f.Var(&choice{value: &r.annotate, known: annotations}, prefix+"annotate",
		"tell a CI system of failed tests in its own way: github, gitlab, none, or auto for the one that we run in")
}

// form resolves auto.
func (r *reportFlags) form(env Env) ui.Annotations {
	switch {
	case r.annotate != annotateAuto:
		return ui.Annotations(r.annotate)
	case env.text("GITHUB_ACTIONS") == "true":
		return ui.AnnotateGitHub
	case env.text("GITLAB_CI") == "true":
		return ui.AnnotateGitLab
	}
	return ui.AnnotateNone
}

// report gathers the results of the tests of one run and writes them.
type report struct {
	flags *reportFlags
	form  ui.Annotations
	logs  *ui.TestLogFiles
}

// report starts to gather, if there is anything to gather for. It hears of
// what happens through watch.
func (a *app) report(flags *reportFlags) (*report, error) {
	r := &report{flags: flags, form: flags.form(a.env)}
	if flags.dir == "" {
		return r, nil
	}
	var err error
	r.logs, err = ui.NewTestLogFiles(flags.dir)
	return r, err
}

// watch passes events on, and to the files too.
func (r *report) watch(sink event.Sink) event.Sink {
	if r.logs == nil {
		return sink
	}
	return func(e event.Event) {
		sink(e)
		r.logs.Sink(e)
	}
}

// write ends the gathering and writes what was asked for. out is nil, or
// without a result, when nothing was run; annotations go to w.
func (r *report) write(w io.Writer, out *lifecycle.Outcome) error {
	var files map[ui.Attempt]string
	var errs []error
	if r.logs != nil {
		var err error
		files, err = r.logs.Close()
		errs = append(errs, err)
	}
	if out == nil || out.Result == nil {
		return together(errs...)
	}
	run := testRun(out)
	run.LogFiles = files
	if r.flags.dir != "" {
		errs = append(errs, ui.WriteTestReport(r.flags.dir, run))
	}
	if r.flags.junitFile != "" {
		errs = append(errs, ui.WriteJUnitFile(r.flags.junitFile, run))
	}
	ui.WriteAnnotations(w, run, r.form, time.Now())
	return together(errs...)
}

// reporting runs an operation that may run tests, ends the session, and writes
// the reports that were asked for.
func (s *session) reporting(flags *reportFlags, output ui.Format, operate func() (*lifecycle.Outcome, error)) error {
	r, err := s.app.report(flags)
	if err != nil {
		s.end()
		return asUsage(err)
	}
	s.Sink = r.watch(s.Sink)
	out, err := operate()
	s.end()
	w := s.app.streams.Out
	if !output.ForPeople() {
		w = s.app.streams.Err // standard output is for the result
	}
	return together(err, r.write(w, out))
}

// testRun is what an operation did of tests.
func testRun(out *lifecycle.Outcome) ui.TestRun {
	return ui.TestRun{Release: out.Release, Plan: out.Plan, Runs: out.Result.Runs}
}
