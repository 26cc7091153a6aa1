package lifecycle_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

func TestCheckTested(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	hook := func(kind, name string, events ...release.Event) *release.Hook {
		api := map[string]string{"Job": "batch/v1", "Pod": "v1", "ConfigMap": "v1"}[kind]
		return &release.Hook{Name: name, Kind: kind, Events: events, Manifest: "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: " + name + "}\n"}
	}
	run := func(name string, phase release.Phase, ago time.Duration) ledger.Run {
		return ledger.Run{
			Event: release.Test, Hook: name, Attempt: 1, Phase: phase, Started: now.Add(-ago), Ended: now.Add(-ago),
			Operation: ledger.Operation{ID: ago.String()}, Object: object.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: name},
		}
	}
	byHelm := hook("Pod", "a", release.Test)
	byHelm.LastRun = release.Execution{Phase: release.PhaseFailed, CompletedAt: now.Add(-time.Minute)}
	both := hook("Pod", "a", release.Test, release.PostInstall)
	both.LastRun = byHelm.LastRun
	for name, tc := range map[string]struct {
		status release.Status
		hooks  []*release.Hook
		runs   []ledger.Run
		asked  lifecycle.Evidence
		why    []string
	}{
		"no tests":          {hooks: []*release.Hook{hook("Job", "migrate", release.PreInstall)}},
		"tests are needed":  {asked: lifecycle.Evidence{Require: true}, why: []string{"it has no tests"}},
		"what tests need":   {hooks: []*release.Hook{hook("ConfigMap", "c", release.Test)}},
		"never ran":         {hooks: []*release.Hook{hook("Pod", "a", release.Test)}, why: []string{"Pod/a has not run"}},
		"passed":            {hooks: []*release.Hook{hook("Pod", "a", release.Test)}, runs: []ledger.Run{run("a", release.PhaseFailed, time.Hour), run("a", release.PhaseSucceeded, time.Minute)}},
		"failed since":      {hooks: []*release.Hook{hook("Pod", "a", release.Test)}, runs: []ledger.Run{run("a", release.PhaseSucceeded, time.Hour), run("a", release.PhaseFailed, time.Minute)}, why: []string{"Pod/a failed when it ran last"}},
		"one of two":        {hooks: []*release.Hook{hook("Pod", "a", release.Test), hook("Pod", "b", release.Test)}, runs: []ledger.Run{run("b", release.PhaseSucceeded, 0)}, why: []string{"Pod/a has not run"}},
		"too long ago":      {hooks: []*release.Hook{hook("Pod", "a", release.Test)}, runs: []ledger.Run{run("a", release.PhaseSucceeded, 2*time.Hour)}, asked: lifecycle.Evidence{MaxAge: time.Hour}, why: []string{"Pod/a passed 2h0m0s ago, which is longer than 1h0m0s"}},
		"not too long ago":  {hooks: []*release.Hook{hook("Pod", "a", release.Test)}, runs: []ledger.Run{run("a", release.PhaseSucceeded, time.Minute)}, asked: lifecycle.Evidence{MaxAge: time.Hour}},
		"Helm ran it since": {hooks: []*release.Hook{byHelm}, runs: []ledger.Run{run("a", release.PhaseSucceeded, time.Hour)}, why: []string{"Pod/a failed when it ran last"}},
		"as another hook":   {hooks: []*release.Hook{both}, runs: []ledger.Run{run("a", release.PhaseSucceeded, time.Hour)}},
		"not deployed":      {status: release.Failed, why: []string{"its status is failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &release.Release{Name: "web", Namespace: "shop", Revision: 3, Hooks: tc.hooks}
			r.Info.Status = tc.status
			if tc.status == "" {
				r.Info.Status = release.Deployed
			}
			var untested *lifecycle.UntestedError
			err := lifecycle.CheckTested(r, tc.runs, now, tc.asked)
			if err != nil && !errors.As(err, &untested) {
				t.Fatal(err)
			}
			var why []string
			if untested != nil {
				why = untested.Why
			}
			if diff := cmp.Diff(tc.why, why); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
