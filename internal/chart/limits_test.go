package chart

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocumentedLimits holds docs/limits.md to the defaults.
func TestDocumentedLimits(t *testing.T) {
	page, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range LimitNames() {
		row := fmt.Sprintf("| `%s` | %s |", name, quantity(Limits{}.Of(LimitName(name))))
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/limits.md lacks %q", row)
		}
	}
}

func TestSetLimits(t *testing.T) {
	var l Limits
	if err := l.Set(" chart-size=1Gi , chart-files=5,"); err != nil {
		t.Fatal(err)
	}
	before := l
	if err := l.Set("chart-size=2G"); err != nil {
		t.Fatal(err)
	}
	if got := l.String(); got != "chart-files=5,chart-size=2000000000" {
		t.Errorf("got %s", got)
	}
	if before.Of(LimitChartSize) != 1<<30 || (Limits{}).Of(LimitChartFiles) != 20_000 {
		t.Error("setting one has changed others")
	}
	for _, text := range []string{"x=1", "chart-size", "chart-size=", "chart-size=-1", "chart-size=0", "chart-size=1 GiB", "=1", "chart-files=5,chart-size=x"} {
		if err := l.Set(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if l.Of(LimitChartFiles) != 5 {
		t.Error("what could not be read has changed something")
	}
}
