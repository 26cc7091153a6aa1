package ui

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
)

// testHistoryVersion is that of the form below; docs/formats/test-history.md
// describes it.
const testHistoryVersion = 1

type testHistory struct {
	Version   int           `json:"version"`
	Release   string        `json:"release"`
	Namespace string        `json:"namespace"`
	Runs      []pastTestRun `json:"runs"`
	Tests     []testStats   `json:"tests"`
}

type pastTestRun struct {
	Revision  int              `json:"revision"`
	Operation ledger.Operation `json:"operation"`
	Started   time.Time        `json:"started"`
	Ended     time.Time        `json:"ended,omitzero"`
	Seconds   float64          `json:"seconds"`
	Passed    bool             `json:"passed"`
	Tests     []pastTest       `json:"tests"`
}

type pastTest struct {
	Name     string        `json:"name"`
	Object   string        `json:"object"`
	Suite    string        `json:"suite,omitempty"`
	Phase    release.Phase `json:"phase"`
	Flaky    bool          `json:"flaky,omitempty"`
	Attempts int           `json:"attempts"`
	Seconds  float64       `json:"seconds"`
	Reason   string        `json:"reason,omitempty"`
	Message  string        `json:"message,omitempty"`
}

type testStats struct {
	Name          string        `json:"name"`
	Object        string        `json:"object"`
	Suite         string        `json:"suite,omitempty"`
	Runs          int           `json:"runs"`
	Passed        int           `json:"passed"`
	Flaky         int           `json:"flaky"`
	PassRate      float64       `json:"passRate"`
	MedianSeconds float64       `json:"medianSeconds"`
	LastSeconds   float64       `json:"lastSeconds"`
	LastPhase     release.Phase `json:"lastPhase"`
	LastEnded     time.Time     `json:"lastEnded,omitzero"`
}

// TestHistoryOptions steer WriteTestHistory.
type TestHistoryOptions struct {
	Format             Format
	Color              bool
	Release, Namespace string
}

// WriteTestHistory writes `test history`: the runs, and what they say of each test.
func WriteTestHistory(w io.Writer, runs []ledger.TestRun, opts TestHistoryOptions) error {
	h := testHistory{Version: testHistoryVersion, Release: opts.Release, Namespace: opts.Namespace, Runs: []pastTestRun{}, Tests: []testStats{}}
	for _, r := range runs {
		h.Runs = append(h.Runs, pastRun(r))
	}
	for _, t := range ledger.Stats(runs) {
		h.Tests = append(h.Tests, testStats{
			Name: t.Test, Object: t.Object.String(), Suite: t.Suite, Runs: t.Runs, Passed: t.Passed, Flaky: t.Flaky, PassRate: t.PassRate(),
			MedianSeconds: t.Median.Seconds(), LastSeconds: t.Last.Duration.Seconds(), LastPhase: t.Last.Phase, LastEnded: t.Last.Ended,
		})
	}
	return WriteAs(w, opts.Format, h, func() string { return h.text(style{opts.Color}) })
}

func pastRun(r ledger.TestRun) pastTestRun {
	out := pastTestRun{Revision: r.Revision, Operation: r.Operation, Started: r.Started, Ended: r.Ended, Passed: r.Passed(), Tests: []pastTest{}}
	if !r.Ended.IsZero() {
		out.Seconds = r.Ended.Sub(r.Started).Seconds()
	}
	for _, t := range r.Results {
		out.Tests = append(out.Tests, pastTest{
			Name: t.Test, Object: t.Object.String(), Suite: t.Suite, Phase: t.Phase, Flaky: t.Flaky(), Attempts: t.Attempts,
			Seconds: t.Duration.Seconds(), Reason: t.Reason, Message: t.Message,
		})
	}
	return out
}

func (h testHistory) text(s style) string {
	if len(h.Runs) == 0 {
		return fmt.Sprintf("The ledger has no run of tests of release %q.\n", h.Release)
	}
	runs := [][]string{headers(s, "STARTED", "REVISION", "OPERATION", "BY", "TESTS", "FAILED", "FLAKY", "DURATION", "RESULT")}
	for _, r := range h.Runs {
		runs = append(runs, r.cells(s))
	}
	tests := [][]string{headers(s, "TEST", "SUITE", "RUNS", "PASSED", "FLAKY", "MEDIAN", "LAST", "LAST PHASE")}
	for _, t := range h.Tests {
		tests = append(tests, []string{
			t.Name, orDash(t.Suite), strconv.Itoa(t.Runs), fmt.Sprintf("%.0f%%", t.PassRate*100), strconv.Itoa(t.Flaky),
			elapsed(seconds(t.MedianSeconds)), elapsed(seconds(t.LastSeconds)), s.phase(t.LastPhase),
		})
	}
	return columns(runs) + "\n" + columns(tests)
}

func (r pastTestRun) cells(s style) []string {
	failed, flaky := 0, 0
	for _, t := range r.Tests {
		if t.Phase != release.PhaseSucceeded {
			failed++
		}
		if t.Flaky {
			flaky++
		}
	}
	result := s.with(good, "passed")
	if !r.Passed {
		result = s.with(bad, "failed")
	}
	return []string{
		when(r.Started), strconv.Itoa(r.Revision), r.Operation.Name, orDash(r.Operation.By), strconv.Itoa(len(r.Tests)),
		strconv.Itoa(failed), strconv.Itoa(flaky), elapsed(seconds(r.Seconds)), result,
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
