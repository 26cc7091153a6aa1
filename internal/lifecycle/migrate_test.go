package lifecycle_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
)

// TestMigrationIsToldOnce: a client-side release is applied server-side from
// its first upgrade on, which says so; the next has nothing to say.
func TestMigrationIsToldOnce(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "{{ .Release.Revision }}")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		rec, err := w.records.Get(t.Context(), "web", 1)
		if err != nil {
			t.Fatal(err)
		}
		rec.ApplyMethod = "" // as Helm 3 writes it
		if err := w.records.Update(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		if !w.upgradeTells(t, dir, "applied client-side") {
			t.Error("the migration is not told")
		}
		if w.upgradeTells(t, dir, "applied client-side") {
			t.Error("it is told again")
		}
	})
}

// upgradeTells upgrades and says whether a notice with that text was given.
func (w *world) upgradeTells(t *testing.T, dir, text string) bool {
	t.Helper()
	w.mu.Lock()
	w.notices = nil
	w.mu.Unlock()
	if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.notices, func(n string) bool { return strings.Contains(n, text) })
}

// TestHookOfAKindThatNothingBrings: only a Job, a Pod or a definition that
// runs before can bring a kind; a ConfigMap cannot.
func TestHookOfAKindThatNothingBrings(t *testing.T) {
	const custom = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: thing, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: '5'}}\n"
	before := strings.Replace(configMap("early", "1"), "name: early", "name: early, annotations: {helm.sh/hook: pre-install}", 1)
	job := strings.Replace(failing, "pre-upgrade", "pre-install", 1)
	for name, tt := range map[string]struct {
		templates map[string]string
		refused   bool
	}{
		"alone":            {map[string]string{"c.yaml": custom}, true},
		"after ConfigMap":  {map[string]string{"c.yaml": custom, "b.yaml": before}, true},
		"after Job":        {map[string]string{"c.yaml": custom, "b.yaml": job}, false},
		"before Job":       {map[string]string{"c.yaml": strings.Replace(custom, "'5'", "'-5'", 1), "b.yaml": job}, true},
		"ordinary, no Job": {map[string]string{"c.yaml": strings.Replace(custom, ", annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: '5'}", "", 1), "b.yaml": before}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeChart(t, tt.templates)
			synctest.Test(t, func(t *testing.T) {
				_, err := newWorld().deploy(t, plan.Install, dir, func(o *lifecycle.DeployOptions) { o.DryRun = lifecycle.DryRunServer })
				if refused := err != nil && strings.Contains(err.Error(), "does not serve kind Thing"); refused != tt.refused {
					t.Errorf("refused %v, want %v: %v", refused, tt.refused, err)
				}
			})
		})
	}
}
