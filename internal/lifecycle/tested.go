package lifecycle

import (
	"fmt"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// UntestedError means that a release's latest revision has not passed all its
// tests, or not lately.
type UntestedError struct {
	Name     string
	Revision int
	// Why has a sentence for each test, or for the revision.
	Why []string
}

// Error is one sentence, and a line for each test.
func (e *UntestedError) Error() string {
	return fmt.Sprintf("revision %d of %s has not passed all its tests\n%s", e.Revision, e.Name, strings.Join(e.Why, "\n"))
}

// Evidence is what is asked of a revision's tests.
type Evidence struct {
	// MaxAge is how long ago each test may have ended; 0 means any time.
	MaxAge time.Duration
	// Require refuses a release that has no tests.
	Require bool
}

// CheckTested finds out, without running anything, whether a revision has
// passed all its tests: each must have succeeded when it ran last, by whoever,
// Helm included. It is nil or an *UntestedError.
func CheckTested(r *release.Release, runs []ledger.Run, now time.Time, asked Evidence) error {
	e := &UntestedError{Name: r.Name, Revision: r.Revision}
	if r.Info.Status != release.Deployed {
		e.Why = append(e.Why, fmt.Sprintf("its status is %s", r.Info.Status))
	}
	latest := ledger.Latest(ledger.TestRuns(runs))
	tests := 0
	for _, h := range r.Hooks {
		ref, ok := testObject(h, r.Namespace)
		if !ok {
			continue
		}
		tests++
		if why := untested(lastTest(h, latest[ref.Key()]), now, asked.MaxAge); why != "" {
			e.Why = append(e.Why, ref.Short()+" "+why)
		}
	}
	if tests == 0 && asked.Require {
		e.Why = append(e.Why, "it has no tests")
	}
	if len(e.Why) == 0 {
		return nil
	}
	return e
}

// testObject is the object of a hook that is a test: a Job or a Pod.
func testObject(h *release.Hook, namespace string) (object.Ref, bool) {
	if !h.On(release.Test) {
		return object.Ref{}, false
	}
	obj, err := h.Parse()
	if err != nil {
		return object.Ref{}, false
	}
	if obj.GetNamespace() == "" {
		obj.SetNamespace(namespace)
	}
	ref := object.RefOf(obj)
	return ref, ref.Is("batch", "Job") || ref.Is("", "Pod")
}

// lastTest is how a test ended last: as the ledger says, or as the record does
// where that is later and can only speak of the test.
func lastTest(h *release.Hook, kept ledger.TestResult) ledger.TestResult {
	if run := h.LastRun; len(h.Events) == 1 && run.CompletedAt.After(kept.Ended.Add(time.Second)) {
		return ledger.TestResult{Phase: run.Phase, Ended: run.CompletedAt}
	}
	return kept
}

func untested(t ledger.TestResult, now time.Time, maxAge time.Duration) string {
	age := now.Sub(t.Ended).Round(time.Second)
	switch {
	case t.Phase == "":
		return "has not run"
	case t.Phase != release.PhaseSucceeded:
		return "failed when it ran last"
	case maxAge > 0 && age > maxAge:
		return fmt.Sprintf("passed %s ago, which is longer than %s", age, maxAge)
	}
	return ""
}
