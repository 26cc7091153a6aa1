package ui

import (
	"bytes"
	"fmt"
	"io"

	"github.com/pintle-dev/pintle/internal/diag"
)

// lintVersion is that of `lint -o json`, described in docs/formats/lint.md.
const lintVersion = 1

// LintReport is what was found in one chart.
type LintReport struct {
	Chart    string
	Problems diag.List
	Failed   bool
}

type lintOutput struct {
	Version int         `json:"version"`
	Failed  bool        `json:"failed"`
	Charts  []lintChart `json:"charts"`
}

type lintChart struct {
	Chart    string        `json:"chart"`
	Failed   bool          `json:"failed"`
	Problems []lintProblem `json:"problems"`
}

type lintProblem struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	// Rendered tells that Line counts what the template rendered.
	Rendered bool `json:"rendered,omitempty"`
}

// WriteLint writes what was found, chart by chart.
func WriteLint(w io.Writer, reports []LintReport, opts ListOptions) error {
	out := lintOutput{Version: lintVersion, Charts: []lintChart{}}
	failed := 0
	for _, r := range reports {
		c := lintChart{Chart: r.Chart, Failed: r.Failed, Problems: []lintProblem{}}
		for _, p := range r.Problems {
			c.Problems = append(c.Problems, lintProblem{p.Severity.String(), p.Summary, p.Detail, p.File, p.Line, p.Rendered})
		}
		if r.Failed {
			failed++
		}
		out.Charts = append(out.Charts, c)
	}
	out.Failed = failed > 0
	return WriteAs(w, opts.Format, out, func() string {
		var b bytes.Buffer
		for _, r := range reports {
			fmt.Fprintf(&b, "%s\n", style{opts.Color}.with(bold, r.Chart))
			WriteProblems(&b, r.Problems, opts.Color)
		}
		fmt.Fprintf(&b, "%d linted, %d failed\n", len(reports), failed)
		return b.String()
	})
}
