package chart

import (
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/pattern"
)

var (
	// located is what Helm reports for a template that does not parse, and
	// for `required` and `fail`.
	located = pattern.Lazy(`^(parse|execution) error (?:at|in) \(([^():]+)(?::(\d+))?(?::\d+)?\): (?s:(.*))$`)
	// frame is a place in a trace: a line of its own in Helm's form of it, or
	// what stands before "executing" in that of text/template.
	frame = pattern.Lazy(`(?m)(?:^\s*|template: )([^\s:]+/[^\s:]+):(\d+)(?::\d+)?(?:$|: executing )`)
)

// templateProblem makes a problem of the engine's report. Where a trace leads
// through several templates, the last one is blamed: that is where the failing
// expression stands; the whole trace is the detail.
func templateProblem(chartName string, err error) diag.Problem {
	text := strings.TrimSpace(err.Error())
	if m := located().FindStringSubmatch(text); m != nil {
		return locatedProblem(m[1], m[2], m[3], m[4])
	}
	p := diag.Problem{Summary: "a template failed", Detail: text, File: chartName}
	if frames := frame().FindAllStringSubmatch(text, -1); frames != nil {
		last := frames[len(frames)-1]
		p.Summary = "the template failed: " + cause(text)
		p.File = last[1]
		p.Line, _ = strconv.Atoi(last[2])
	}
	return p
}

// locatedProblem is for a report of one place and a message that may have
// several lines.
func locatedProblem(stage, file, line, message string) diag.Problem {
	p := diag.Problem{File: file}
	p.Summary, p.Detail, _ = strings.Cut(message, "\n")
	if stage == "parse" {
		p.Summary = "the template does not parse: " + p.Summary
	}
	p.Line, _ = strconv.Atoi(line)
	return p
}

// cause is the innermost message of a trace.
func cause(trace string) string {
	lines := strings.Split(trace, "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if at := strings.LastIndex(last, ">: "); at >= 0 {
		last = last[at+len(">: "):]
	}
	return strings.TrimPrefix(last, "template: ")
}
