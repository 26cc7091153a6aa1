package chart

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
)

// LintOptions say what a chart is linted with.
type LintOptions struct {
	Values    map[string]any
	Namespace string
	// KubeVersion is what deprecations count on; empty means Helm's own.
	KubeVersion string
	SkipSchema  bool
	// Limits and Confine bound what templates do, as in RenderOptions.
	Limits  Limits
	Confine Confinement
	// NoTemplates leaves out what needs rendering.
	NoTemplates bool
}

// LintMessage is one finding of the rules of `helm lint`.
type LintMessage struct {
	diag.Problem
	// Text is the line that Helm prints.
	Text string
}

// Lint looks at a chart by the rules of `helm lint`, in its words: what makes
// it fail is an error, what it warns of a warning, and the rest a note. The
// rules are written again here, since Helm's own package makes every start of
// the program slower (see ADR 9); templates are rendered as for Helm's linter,
// where a value that is required and missing is no error. The error is a
// *Runaway, after which the process should end.
func (c *Chart) Lint(ctx context.Context, path string, o LintOptions) ([]LintMessage, error) {
	l := &linter{path: path, options: o, chart: c.helm}
	l.metadata()
	l.values()
	if !o.NoTemplates {
		if err := l.templates(ctx); err != nil {
			return nil, err
		}
	}
	l.dependencies()
	l.crds()
	return l.messages, nil
}

// linter collects messages.
type linter struct {
	path     string
	options  LintOptions
	chart    *helmchart.Chart
	messages []LintMessage
}

// say adds a message about a file of the chart; file may be "" for the chart.
func (l *linter) say(severity diag.Severity, file, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	word := map[diag.Severity]string{diag.Error: "ERROR", diag.Warning: "WARNING", diag.Note: "INFO"}[severity]
	p := diag.Problem{Severity: severity, File: filepath.Join(l.path, file)}
	p.Summary, p.Detail, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if file == "" {
		if absolute, err := filepath.Abs(l.path); err == nil {
			file = absolute
		}
	}
	l.messages = append(l.messages, LintMessage{Problem: p, Text: fmt.Sprintf("[%s] %s: %s", word, file, text)})
}

// has tells whether there is a file or a folder of that name in the chart.
func (l *linter) has(name string) bool {
	if info, err := os.Stat(l.path); err == nil && info.IsDir() {
		_, err := os.Stat(filepath.Join(l.path, name))
		return err == nil
	}
	for _, f := range l.chart.Raw {
		if f.Name == name || strings.HasPrefix(f.Name, name+"/") {
			return true
		}
	}
	return false
}

func (l *linter) raw(name string) []byte {
	for _, f := range l.chart.Raw {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func (l *linter) dependencies() {
	wanted, shadowed, seen := map[string]bool{}, []string(nil), map[string]bool{}
	for _, d := range l.chart.Metadata.Dependencies {
		wanted[d.Name] = true
		key := d.Name
		if d.Alias != "" {
			key = d.Alias
		}
		if seen[key] {
			shadowed = append(shadowed, key)
		}
		seen[key] = true
	}
	var stray []string
	for _, sub := range l.chart.Dependencies() {
		if !wanted[sub.Metadata.Name] {
			stray = append(stray, sub.Metadata.Name)
		}
	}
	if len(stray) > 0 {
		l.say(diag.Error, "", "chart metadata is missing these dependencies: %s", strings.Join(stray, ","))
	}
	if len(shadowed) > 0 {
		l.say(diag.Error, "", "multiple dependencies with name or alias: %s", strings.Join(shadowed, ","))
	}
	if lacking := missingDependencies(l.chart); len(lacking) > 0 {
		l.say(diag.Warning, "", "chart directory is missing these dependencies: %s", strings.Join(lacking, ","))
	}
}
