package lifecycle_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// TestHookThatIsAnOrdinaryObjectToo is the oddity of charts that ship one
// ServiceAccount twice: its hook deletion must not take the live one.
func TestHookThatIsAnOrdinaryObjectToo(t *testing.T) {
	hook := strings.Replace(configMap("a", "hook"), "name: a", "name: a, annotations: {helm.sh/hook: 'pre-install, pre-upgrade', helm.sh/hook-delete-policy: 'before-hook-creation,hook-succeeded'}", 1)
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "ordinary"), "hook.yaml": hook})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		ref := object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "a"}
		before := w.Peek(ref)
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		after := w.Peek(ref)
		if after == nil || after.GetUID() != before.GetUID() || w.live("a")["k"] != "ordinary" {
			t.Fatalf("before %v, after %v", before, after)
		}
		if !object.OwnedBy(after, "web", "shop") {
			t.Error("the ordinary object has lost the marks of the release")
		}
	})
}
