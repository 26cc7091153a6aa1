package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestRehearsalTellsAll is a dry run in which the API server refuses two
// objects: both are told, with their templates, and nothing is changed.
func TestRehearsalTellsAll(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "b.yaml": configMap("b", "1"), "c.yaml": configMap("c", "1")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for _, name := range []string{"a", "c"} {
			w.Refuse("dry-run patch", "ConfigMap/"+name, apierrors.NewInvalid(schema.GroupKind{Kind: "ConfigMap"}, name, nil), 0)
		}
		_, err := w.deploy(t, plan.Install, dir, func(o *lifecycle.DeployOptions) { o.DryRun = lifecycle.DryRunServer })
		var refused *lifecycle.Refused
		found := diag.Problems(err)
		if !errors.As(err, &refused) || len(found) != 2 {
			t.Fatalf("error %v", err)
		}
		for i, want := range []string{"templates/a.yaml", "templates/c.yaml"} {
			if !strings.HasSuffix(found[i].File, want) || !strings.Contains(found[i].Summary, "the API server refuses ConfigMap/shop/") {
				t.Errorf("problem %d: %v", i, found[i])
			}
		}
		if len(w.history(t)) != 0 {
			t.Errorf("history %v", w.history(t))
		}
	})
}
