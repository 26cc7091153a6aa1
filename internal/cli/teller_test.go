package cli

import (
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/diag"
)

func TestLogsOfLibraries(t *testing.T) {
	speak := func() {
		log.Printf("warning: skipped value for %s: Not a table.", "web.a")
		log.Printf("all is well")
		slog.Warn("odd", "chart", "web")
		slog.With("n", 1).Error("broken")
		slog.Debug("details")
	}
	for _, tt := range []struct {
		verbose bool
		want    []string
	}{
		{false, []string{"warning: skipped value for web.a: Not a table", "warning: odd chart=web", "warning: broken n=1"}},
		{true, []string{
			"warning: skipped value for web.a: Not a table", "note: all is well", "warning: odd chart=web", "warning: broken n=1", "note: details",
		}},
	} {
		var said []string
		told := &teller{tell: func(p diag.Problem) { said = append(said, p.Severity.String()+": "+p.Error()) }}
		back := takeLogs(told, &tt.verbose)
		speak()
		back()
		if diff := cmp.Diff(tt.want, said); diff != "" {
			t.Errorf("verbose %v: %s", tt.verbose, diff)
		}
	}
}

func TestTellThroughAnother(t *testing.T) {
	var first, second []string
	told := teller{tell: func(p diag.Problem) { first = append(first, p.Summary) }}
	back := told.through(func(p diag.Problem) { second = append(second, p.Summary) })
	told.note("a")
	back()
	told.warn("b")
	if strings.Join(first, " ") != "b" || strings.Join(second, " ") != "a" {
		t.Errorf("first %v, second %v", first, second)
	}
}
