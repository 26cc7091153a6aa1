package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
)

// helmLint are the options for Helm's own rules.
func (a *app) helmLint(flags *lintFlags, given userValues, noTemplates bool) chart.LintOptions {
	return chart.LintOptions{
		Values: given.render.Values, Namespace: a.namespaceOrDefault(), KubeVersion: flags.kubeVersion,
		SkipSchema: flags.skipSchema, NoTemplates: noTemplates, Limits: given.render.Limits, Confine: given.render.Confine,
	}
}

// lintAsHelm finds and prints what `helm lint` does, and nothing else.
func (a *app) lintAsHelm(ctx context.Context, refs []string, flags *lintFlags, given userValues) error {
	var out strings.Builder
	failed, remarkable := 0, false
	for _, ref := range refs {
		messages, err := a.messages(ctx, ref, flags, given)
		var runaway *chart.Runaway
		if errors.As(err, &runaway) {
			return err
		}
		worst := diag.Note
		for _, m := range messages {
			worst = min(worst, m.Severity)
		}
		bad := err != nil || worst == diag.Error || flags.strict && worst == diag.Warning
		if bad {
			failed++
		}
		if flags.quiet && err == nil && worst == diag.Note {
			continue
		}
		remarkable = remarkable || err != nil || worst < diag.Note
		fmt.Fprintf(&out, "==> Linting %s\n", ref)
		if err != nil {
			fmt.Fprintf(&out, "Error %s\n", err)
		}
		for _, m := range messages {
			if !flags.quiet || m.Severity < diag.Note {
				fmt.Fprintln(&out, m.Text)
			}
		}
		out.WriteString("\n")
	}
	if _, err := fmt.Fprint(a.streams.Out, out.String()); err != nil {
		return err
	}
	summary := fmt.Sprintf("%d chart(s) linted, %d chart(s) failed", len(refs), failed)
	if failed > 0 {
		return errors.New(summary)
	}
	if !flags.quiet || remarkable {
		fmt.Fprintln(a.streams.Out, summary)
	}
	return nil
}

// messages are those of Helm's rules about a chart that can be read.
func (a *app) messages(ctx context.Context, ref string, flags *lintFlags, given userValues) ([]chart.LintMessage, error) {
	if !strings.HasSuffix(ref, ".tgz") && !strings.HasSuffix(ref, ".tar.gz") {
		if _, err := os.Stat(filepath.Join(ref, "Chart.yaml")); err != nil {
			return nil, fmt.Errorf("unable to check Chart.yaml file in chart: %w", err)
		}
	}
	c, err := chart.Open(ref, given.open)
	if err != nil {
		return nil, err
	}
	return c.Lint(ctx, ref, a.helmLint(flags, given, false))
}
