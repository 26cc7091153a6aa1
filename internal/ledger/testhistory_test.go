package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// tried is an attempt of a test in the numbered operation.
func tried(operation int, test string, attempt int, phase release.Phase, took time.Duration) Run {
	at := noon.Add(time.Duration(operation) * time.Hour)
	return Run{
		Operation: Operation{ID: string(rune('a' + operation)), Started: at}, Revision: 1, Event: release.Test, Hook: test, Attempt: attempt,
		Object:  object.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: test},
		Started: at, Ended: at.Add(took), Phase: phase,
	}
}

func TestTestHistory(t *testing.T) {
	need := tried(1, "settings", 1, release.PhaseSucceeded, 0)
	need.Object.Kind = "ConfigMap"
	other := tried(1, "migrate", 1, release.PhaseFailed, time.Second)
	other.Event = release.PreUpgrade
	runs := TestRuns([]Run{
		need, other,
		tried(1, "web", 1, release.PhaseSucceeded, 2*time.Second), tried(1, "db", 1, release.PhaseFailed, 3*time.Second),
		tried(2, "db", 1, release.PhaseFailed, 3*time.Second), tried(2, "db", 2, release.PhaseSucceeded, time.Second),
		tried(2, "web", 1, release.PhaseSucceeded, 6*time.Second),
		tried(3, "web", 1, release.PhaseSucceeded, 3*time.Second),
	})
	var passed []bool
	for _, r := range runs {
		passed = append(passed, r.Passed())
	}
	if diff := cmp.Diff([]bool{false, true, true}, passed); diff != "" {
		t.Errorf("which passed (-want +got):\n%s", diff)
	}
	type line struct {
		test                string
		runs, passed, flaky int
		median, last        time.Duration
	}
	var got []line
	for _, s := range Stats(runs) {
		got = append(got, line{s.Test, s.Runs, s.Passed, s.Flaky, s.Median, s.Last.Duration})
	}
	want := []line{{"web", 3, 3, 0, 3 * time.Second, 3 * time.Second}, {"db", 2, 1, 1, 3500 * time.Millisecond, 4 * time.Second}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	latest := Latest(runs)
	if db := latest[object.Key{Kind: "Pod", Namespace: "shop", Name: "db"}]; !db.Flaky() || len(latest) != 2 {
		t.Errorf("the latest are %+v", latest)
	}
}
