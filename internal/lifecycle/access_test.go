package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestMissingPermission is a user who may not do all that the chart needs:
// nothing is touched.
func TestMissingPermission(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "b.yaml": configMap("b", "1")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Refuse("patch", "ConfigMap/b", apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "b", errors.New("no")), 0)
		_, err := w.deploy(t, plan.Install, dir, nil)
		var refused *lifecycle.Refused
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "no permission to patch ConfigMap/shop/b") {
			t.Fatalf("error %v", err)
		}
		if len(w.history(t)) != 0 || w.live("a") != nil {
			t.Errorf("history %v, a %v", w.history(t), w.live("a"))
		}
	})
}
