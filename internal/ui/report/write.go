package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
)

// Format is a form of a report.
type Format string

// The forms.
const (
	HTML Format = "html"
	SVG  Format = "svg"
	JSON Format = "json"
)

// Formats are all of them.
func Formats() []string { return []string{string(HTML), string(SVG), string(JSON)} }

//go:embed page.html timeline.svg style.css
var files embed.FS

// templates are parsed when the first report is written: most runs write none.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(functions).ParseFS(files, "page.html", "timeline.svg"))
})

var functions = template.FuncMap{
	"plain":  plain,
	"clock":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"stamp":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"style":  styleSheet,
	"causes": func(c []ledger.Cause) []ledger.Cause { return c },
	"x":      func(percent float64) string { return fmt.Sprintf("%.2f", pictureLeft+percent/100*pictureWidth) },
	"w":      func(percent float64) string { return fmt.Sprintf("%.2f", percent/100*pictureWidth) },
}

// styleSheet is the one of this package's own, so it needs no escaping.
func styleSheet() template.CSS {
	text, err := files.ReadFile("style.css")
	if err != nil {
		return ""
	}
	return template.CSS(text) //nolint:gosec // embedded
}

// Write writes the report in the format.
func (r *Report) Write(w io.Writer, f Format) error {
	var err error
	switch f {
	case JSON:
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(r)
	case HTML:
		err = templates().ExecuteTemplate(w, "page.html", page{r, r.sections(), statusBadge(r.Status)})
	case SVG:
		err = templates().ExecuteTemplate(w, "timeline.svg", r.picture())
	default:
		return fmt.Errorf("a report can be html, svg or json, not %q", f)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

type page struct {
	*Report
	Sections []section
	Badge    badge
}

func statusBadge(status string) badge {
	class := "still"
	switch status {
	case "deployed":
		class = "good"
	case "failed":
		class = "bad"
	case "pending-install", "pending-upgrade", "pending-rollback", "uninstalling":
		class = "warn"
	}
	return badge{Word: status, Class: class}
}
