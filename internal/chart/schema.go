package chart

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/pattern"
	"helm.sh/helm/v4/pkg/chart/common/util"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
)

// schemaCheck collects violations of the schemas of a chart and its subcharts.
type schemaCheck struct {
	problems diag.List
	// source may be nil; see RenderOptions.ValueSource.
	source func(path []string) (file string, line int)
}

// validateSchemas checks merged values against values.schema.json of the
// chart and of each subchart that has values. It collects all violations.
func validateSchemas(chrt *helmchart.Chart, values map[string]any, source func([]string) (string, int)) error {
	check := schemaCheck{source: source}
	check.chart(chrt, values, nil)
	return check.problems.Err()
}

func (s *schemaCheck) chart(chrt *helmchart.Chart, values map[string]any, prefix []string) {
	if chrt.Schema != nil {
		if found := outside(chrt); len(found) > 0 {
			s.problems.Add(found...)
			return
		}
		if err := util.ValidateAgainstSingleSchema(values, chrt.Schema); err != nil {
			s.add(chrt, prefix, err.Error())
		}
	}
	for _, sub := range chrt.Dependencies() {
		raw, ok := values[sub.Name()]
		if !ok || raw == nil {
			continue
		}
		path := append(slices.Clip(prefix), sub.Name())
		subvalues, ok := raw.(map[string]any)
		if !ok {
			s.problems.Add(s.located(diag.Problem{
				Summary: fmt.Sprintf("value %q must be a map, for it holds the values of a subchart", dotted(path)),
			}, chrt, path))
			continue
		}
		s.chart(sub, subvalues, path)
	}
}

// violation is a line of the validator's report, such as
// "- at '/image/tag': got number, want string".
var violation = pattern.Lazy(`^( *)- at '([^']*)': (.*)$`)

// add makes a problem of each violation at the top level of the report; deeper
// lines, which say why no alternative fits, become its detail.
func (s *schemaCheck) add(chrt *helmchart.Chart, prefix []string, report string) {
	var found []diag.Problem
	for line := range strings.Lines(report) {
		line = strings.TrimRight(line, "\n")
		m := violation().FindStringSubmatch(line)
		switch {
		case m != nil && m[1] == "":
			path := append(slices.Clip(prefix), pointerPath(m[2])...)
			found = append(found, s.located(diag.Problem{Summary: violationSummary(path, m[3])}, chrt, path))
		case len(found) > 0 && strings.TrimSpace(line) != "":
			last := &found[len(found)-1]
			last.Detail = strings.TrimPrefix(last.Detail+"\n"+quoted().ReplaceAllString(strings.TrimSpace(line), "it $1"), "\n")
		}
	}
	if len(found) == 0 { // the schema itself is at fault
		found = append(found, diag.Problem{
			Summary: "the values cannot be checked against the chart's schema",
			Detail:  strings.TrimSpace(report),
			File:    schemaFile(chrt),
		})
	}
	s.problems.Add(found...)
}

// located puts a problem where the user set the value, else where the schema
// asks for it.
func (s *schemaCheck) located(p diag.Problem, chrt *helmchart.Chart, path []string) diag.Problem {
	if s.source != nil && len(path) > 0 {
		p.File, p.Line = s.source(path)
	}
	if p.File == "" {
		p.File = schemaFile(chrt)
	}
	return p
}

func schemaFile(chrt *helmchart.Chart) string { return chrt.ChartFullPath() + "/values.schema.json" }

// quoted is a value at the head of a violation, such as in
// "'x' does not match pattern 'y'". It may be a password.
var quoted = pattern.Lazy(`'.*' (does not match pattern|is not valid|has)`)

func violationSummary(path []string, message string) string {
	message = quoted().ReplaceAllString(message, "it $1")
	if len(path) == 0 {
		return "the values do not fit the schema: " + message
	}
	return fmt.Sprintf("value %q does not fit the schema: %s", dotted(path), message)
}

// pointerPath splits a JSON pointer, such as "/ports/0/name".
func pointerPath(pointer string) []string {
	if pointer == "" {
		return nil
	}
	path := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range path {
		path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(path[i])
	}
	return path
}

var arrayIndex = pattern.Lazy(`^\d+$`)

// dotted writes a path as --set takes it, such as "ports[0].name".
func dotted(path []string) string {
	var b strings.Builder
	for _, step := range path {
		switch {
		case arrayIndex().MatchString(step):
			b.WriteString("[" + step + "]")
		case b.Len() > 0:
			b.WriteString("." + step)
		default:
			b.WriteString(step)
		}
	}
	return b.String()
}
