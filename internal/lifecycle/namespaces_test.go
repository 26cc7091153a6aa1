package lifecycle_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pintle-dev/pintle/internal/plan"
)

func elsewhere(name, namespace, annotations string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + namespace + annotations + "}\n"
}

// TestOtherNamespaces is a chart with objects outside the release's namespace.
func TestOtherNamespaces(t *testing.T) {
	const space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: far}\n"
	tests := map[string]struct {
		templates map[string]string
		want      string
	}{
		"one that exists":        {map[string]string{"a.yaml": elsewhere("a", "default", "")}, ""},
		"one that is not there":  {map[string]string{"a.yaml": configMap("a", "1"), "b.yaml": elsewhere("b", "far", "")}, "templates/b.yaml:1 (rendered): namespace far does not exist: needed by ConfigMap/far/b"},
		"one of the chart's own": {map[string]string{"a.yaml": elsewhere("a", "far", ""), "n.yaml": space}, ""},
		"a hook's":               {map[string]string{"a.yaml": elsewhere("a", "far", `, annotations: {"helm.sh/hook": post-install}`)}, "namespace far does not exist"},
		"one that a hook may bring": {map[string]string{
			"a.yaml": elsewhere("a", "far", ""), "h.yaml": elsewhere("h", "shop", `, annotations: {"helm.sh/hook": pre-install}`),
		}, `namespaces "far" not found`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := writeChart(t, tt.templates)
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				_, err := w.deploy(t, plan.Install, dir, nil)
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("error %v, want %q", err, tt.want)
				}
			})
		})
	}
}
