package chart

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/common/util"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
)

// validateSchemas checks merged values against values.schema.json of the
// chart and of each subchart that has values. It collects all violations.
func validateSchemas(chrt *helmchart.Chart, values map[string]any) error {
	var problems diag.List
	collectViolations(chrt, values, "", &problems)
	return problems.Err()
}

func collectViolations(chrt *helmchart.Chart, values map[string]any, prefix string, problems *diag.List) {
	if chrt.Schema != nil {
		if err := util.ValidateAgainstSingleSchema(values, chrt.Schema); err != nil {
			problems.Add(violations(chrt.ChartFullPath()+"/values.schema.json", prefix, err.Error())...)
		}
	}
	for _, sub := range chrt.Dependencies() {
		raw, ok := values[sub.Name()]
		if !ok || raw == nil {
			continue
		}
		subvalues, ok := raw.(map[string]any)
		if !ok {
			problems.Add(diag.Problem{
				Summary: fmt.Sprintf("value %q must be a map, for it holds the values of a subchart", prefix+sub.Name()),
				File:    sub.ChartFullPath() + "/values.schema.json",
			})
			continue
		}
		collectViolations(sub, subvalues, prefix+sub.Name()+".", problems)
	}
}

// violation is a line of the validator's report, such as
// "- at '/image/tag': got number, want string".
var violation = regexp.MustCompile(`^( *)- at '([^']*)': (.*)$`)

// violations makes a problem of each violation at the top level of the
// report; deeper lines, which say why no alternative fits, become its detail.
func violations(file, prefix, report string) []diag.Problem {
	var problems []diag.Problem
	for line := range strings.Lines(report) {
		line = strings.TrimRight(line, "\n")
		m := violation.FindStringSubmatch(line)
		switch {
		case m != nil && m[1] == "":
			problems = append(problems, diag.Problem{Summary: violationSummary(prefix, m[2], m[3]), File: file})
		case len(problems) > 0 && strings.TrimSpace(line) != "":
			last := &problems[len(problems)-1]
			last.Detail = strings.TrimPrefix(last.Detail+"\n"+strings.TrimSpace(line), "\n")
		}
	}
	if len(problems) == 0 {
		problems = append(problems, diag.Problem{Summary: "the values do not fit the chart's schema", Detail: strings.TrimSpace(report), File: file})
	}
	return problems
}

func violationSummary(prefix, pointer, message string) string {
	where := strings.TrimSuffix(prefix+dotted(pointer), ".")
	if where == "" {
		return "values do not fit the schema: " + message
	}
	return fmt.Sprintf("value %q does not fit the schema: %s", where, message)
}

var arrayIndex = regexp.MustCompile(`^\d+$`)

// dotted turns a JSON pointer into the form that --set takes:
// "/ports/0/name" is "ports[0].name".
func dotted(pointer string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch {
		case arrayIndex.MatchString(part):
			b.WriteString("[" + part + "]")
		case b.Len() > 0:
			b.WriteString("." + part)
		default:
			b.WriteString(part)
		}
	}
	return b.String()
}
