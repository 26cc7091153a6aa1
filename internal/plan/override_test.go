package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

func TestParseHookOverride(t *testing.T) {
	limit, retries := 20*time.Minute, 2
	got, err := plan.ParseHookOverride("migrate-*:timeout=20m,retries=2,skip")
	want := plan.HookOverride{Name: "migrate-*", Timeout: &limit, Retries: &retries, Skip: true}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"", "a", "a:", ":skip", "a:skip=yes", "a:timeout=soon", "a:timeout=-1s", "a:retries=x", "a:weight=3", "[:skip"} {
		if _, err := plan.ParseHookOverride(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestOverridesGoOverWhatTheChartSays(t *testing.T) {
	_, hooks := content(t, `apiVersion: batch/v1
kind: Job
metadata: {name: migrate-3, namespace: shop, annotations: {helm.sh/hook: pre-install, pintle.dev/timeout: 1m, pintle.dev/retries: '1'}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: warm, namespace: shop, annotations: {helm.sh/hook: pre-install}}
`)
	override := func(text string) plan.HookOverride {
		o, err := plan.ParseHookOverride(text)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	overrides := []plan.HookOverride{override("migrate-*:timeout=20m"), override("warm:skip"), override("wram:skip")}
	in := plan.Inputs{Next: &release.Release{Name: "web", Namespace: "shop", Revision: 1}, Hooks: hooks, Options: plan.Options{Hooks: overrides}}
	p := plan.Build(plan.Install, in)
	var run plan.RunHook
	for _, s := range p.Steps {
		if a, ok := s.Action.(plan.RunHook); ok {
			run = a
		}
	}
	if run.Hook == nil || run.Hook.Name != "migrate-3" || run.Timeout != 20*time.Minute || run.Retries != 1 {
		t.Errorf("the run is %+v", run)
	}
	if !strings.Contains(p.String(), "leave out Job/shop/warm (left out with --hook)") {
		t.Errorf("the plan is\n%s", p)
	}
	if diff := cmp.Diff([]string{"wram"}, plan.UnmatchedOverrides(overrides, hooks)); diff != "" {
		t.Error(diff)
	}
}
