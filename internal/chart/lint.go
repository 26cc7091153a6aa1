package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint/rules"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/util"
)

// LintOptions say what a chart is linted with.
type LintOptions struct {
	Values    map[string]any
	Namespace string
	// KubeVersion is what deprecations count on; empty means Helm's own.
	KubeVersion string
	SkipSchema  bool
	// NoTemplates leaves out what needs rendering, for charts that cannot be
	// rendered, or that must not be in this process.
	NoTemplates bool
}

// LintMessage is one finding of Helm's linter.
type LintMessage struct {
	diag.Problem
	// Text is the line that Helm prints.
	Text string
}

// Lint runs the rules of `helm lint` on a chart that Open could read: a folder,
// or an archive, which is unpacked for a while. Findings are errors, warnings
// and notes; the error is one of running the rules.
func Lint(path string, o LintOptions) ([]LintMessage, error) {
	folder := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		unpacked, err := unpackForLint(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(filepath.Dir(unpacked)) }()
		folder = unpacked
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("linting %s: %w", path, err)
	}
	var version *common.KubeVersion
	if o.KubeVersion != "" {
		if version, err = common.ParseKubeVersion(o.KubeVersion); err != nil {
			return nil, diag.Problem{Summary: fmt.Sprintf("invalid kube version '%s'", o.KubeVersion), Detail: err.Error()}
		}
	}
	linter := support.Linter{ChartDir: absolute}
	rules.Chartfile(&linter)
	rules.ValuesWithOverrides(&linter, o.Values, o.SkipSchema)
	if !o.NoTemplates {
		rules.Templates(&linter, o.Namespace, o.Values, rules.TemplateLinterKubeVersion(version), rules.TemplateLinterSkipSchemaValidation(o.SkipSchema))
	}
	rules.Dependencies(&linter)
	rules.Crds(&linter)
	messages := make([]LintMessage, len(linter.Messages))
	for i, m := range linter.Messages {
		messages[i] = LintMessage{Problem: finding(m, path, absolute), Text: m.Error()}
	}
	return messages, nil
}

// finding is a message as a problem, in the file as the user knows it.
func finding(m support.Message, path, absolute string) diag.Problem {
	p := diag.Problem{Severity: diag.Error, File: filepath.Join(path, m.Path)}
	switch {
	case m.Severity <= support.InfoSev:
		p.Severity = diag.Note
	case m.Severity == support.WarningSev:
		p.Severity = diag.Warning
	}
	if m.Path == "" || strings.HasPrefix(m.Path, absolute) {
		p.File = path
	}
	p.Summary, p.Detail, _ = strings.Cut(strings.TrimSpace(m.Err.Error()), "\n")
	return p
}

// unpackForLint unpacks an archive into a temporary folder and returns that of
// the chart in it.
func unpackForLint(path string) (string, error) {
	dir, err := os.MkdirTemp("", "pintle-lint-")
	if err != nil {
		return "", fmt.Errorf("linting %s: %w", path, err)
	}
	err = util.ExpandFile(dir, path)
	if err == nil {
		var inside []os.DirEntry
		if inside, err = os.ReadDir(dir); err == nil && len(inside) == 1 && inside[0].IsDir() {
			return filepath.Join(dir, inside[0].Name()), nil
		}
	}
	_ = os.RemoveAll(dir)
	if err == nil {
		err = fmt.Errorf("there is not one folder in it")
	}
	return "", diag.Problem{Summary: fmt.Sprintf("%s cannot be unpacked", path), Detail: err.Error()}
}
