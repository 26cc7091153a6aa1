package release_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
)

func TestOutline(t *testing.T) {
	r := rev(3, release.Deployed, "Upgrade complete")
	r.Info.LastDeployed = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.Chart = []byte(`{"metadata":{"name":"web","version":"1.0.0","appVersion":"<2>"},"templates":[{"name":"x"}]}`)
	e := release.Entry{Name: "shop", Namespace: "prod", Revision: 3, Status: release.Deployed, Labels: map[string]string{"a": "b"}}
	hint := r.Hint("17")

	got, ok := release.Outline(e, hint, "17")
	if !ok || !got.IsOutline() {
		t.Fatalf("the hint %s gave nothing", hint)
	}
	if got.ChartMetadata() != r.ChartMetadata() || !got.Info.LastDeployed.Equal(r.Info.LastDeployed) || got.Info.Description != "Upgrade complete" || got.Labels["a"] != "b" || got.Namespace != "prod" {
		t.Errorf("outline is %+v", got)
	}
	if _, err := release.Encode(got); err == nil || !strings.Contains(err.Error(), "outline") {
		t.Errorf("an outline was encoded: %v", err)
	}
	if got.Hint("18") != "" {
		t.Error("an outline gives a hint")
	}
	stale := e
	stale.Status = release.Superseded
	other := e
	other.Revision = 4
	for name, try := range map[string]func() bool{
		"status":   func() bool { _, ok := release.Outline(stale, hint, "17"); return ok },
		"revision": func() bool { _, ok := release.Outline(other, hint, "17"); return ok },
		"stamp":    func() bool { _, ok := release.Outline(e, hint, "18"); return ok },
		"version":  func() bool { _, ok := release.Outline(e, strings.Replace(hint, `"v":2`, `"v":3`, 1), "17"); return ok },
		"none":     func() bool { _, ok := release.Outline(e, "", "17"); return ok },
	} {
		if try() {
			t.Errorf("a hint that is stale by its %s was believed", name)
		}
	}
}
