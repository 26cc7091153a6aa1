package chart

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
)

var (
	// located is what Helm reports for a template that does not parse, and
	// for `required` and `fail`.
	located = regexp.MustCompile(`^(parse|execution) error (?:at|in) \(([^():]+)(?::(\d+))?(?::\d+)?\): (?s:(.*))$`)
	// frame is a line of the trace that Helm reports for all other failures.
	frame = regexp.MustCompile(`^(\S+\.\S+):(\d+)(?::\d+)?$`)
)

// templateProblem makes a problem of the engine's report. Where a trace leads
// through several templates, the last one is blamed: that is where the failing
// expression stands; the whole trace is the detail.
func templateProblem(chartName string, err error) error {
	text := strings.TrimSpace(err.Error())
	if m := located.FindStringSubmatch(text); m != nil {
		p := diag.Problem{Summary: firstLine(m[4]), File: m[2]}
		if _, rest, more := strings.Cut(m[4], "\n"); more {
			p.Detail = rest
		}
		if m[1] == "parse" {
			p.Summary = "the template does not parse: " + p.Summary
		}
		p.Line, _ = strconv.Atoi(m[3])
		return p
	}
	p := diag.Problem{Summary: "a template failed", Detail: text}
	lines := strings.Split(text, "\n")
	for _, line := range lines {
		if m := frame.FindStringSubmatch(strings.TrimSpace(line)); m != nil && strings.Contains(m[1], "/") {
			p.File = m[1]
			p.Line, _ = strconv.Atoi(m[2])
		}
	}
	if p.File == "" {
		p.File = chartName
	} else {
		p.Summary = "the template failed: " + strings.TrimSpace(lines[len(lines)-1])
	}
	return p
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
