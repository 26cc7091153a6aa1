package chart

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/pattern"
)

// PrintOptions says which parts of a rendered chart are printed. The zero
// value prints what `helm template` prints without flags.
type PrintOptions struct {
	// IncludeCRDs puts the files of crds/ first.
	IncludeCRDs bool
	// NoHooks leaves all hooks out.
	NoHooks bool
	// SkipTests leaves the hooks of the event test out.
	SkipTests bool
	// ShowOnly keeps the documents whose template, as a path inside its chart,
	// matches one of the patterns (path.Match), in the order of the patterns.
	ShowOnly []string
}

// Print writes a rendered chart exactly as `helm template` does. A pattern of
// ShowOnly that matches nothing is a diag.Problem; then nothing is written.
func Print(w io.Writer, r *Rendered, opts PrintOptions) error {
	text := printed(r, opts)
	if len(opts.ShowOnly) > 0 {
		var err error
		if text, err = showOnly(text, opts.ShowOnly); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, text)
	return err
}

func printed(r *Rendered, opts PrintOptions) string {
	var b strings.Builder
	if opts.IncludeCRDs {
		for _, crd := range r.CRDs {
			writeDocument(&b, crd.Source, string(crd.Data))
		}
	}
	b.WriteString(r.Manifest)
	body := strings.TrimSpace(b.String())
	b.Reset()
	b.WriteString(body)
	b.WriteString("\n")
	if opts.NoHooks {
		return b.String()
	}
	for _, hook := range r.Hooks {
		if !opts.SkipTests || !hook.isTest() {
			writeDocument(&b, hook.Source, hook.Text)
		}
	}
	return b.String()
}

// sourceComment finds the path inside the chart that "# Source:" names.
var sourceComment = pattern.Lazy("# Source: [^/]+/(.+)")

func showOnly(text string, patterns []string) (string, error) {
	docs := split("", text)
	var b strings.Builder
	for _, pattern := range patterns {
		found := false
		for _, d := range docs {
			m := sourceComment().FindStringSubmatch(d.Text)
			if m == nil {
				continue
			}
			if ok, err := path.Match(filepath.ToSlash(pattern), m[1]); err != nil || !ok {
				continue
			}
			found = true
			b.WriteString("---\n" + d.Text + "\n")
		}
		if !found {
			return "", diag.Problem{Summary: fmt.Sprintf("could not find template %s in chart", pattern)}
		}
	}
	return b.String(), nil
}
