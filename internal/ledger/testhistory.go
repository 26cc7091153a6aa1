package ledger

import (
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// TestRun is what one operation found out by a release's tests.
type TestRun struct {
	Operation Operation
	Revision  int
	Started   time.Time
	Ended     time.Time
	Results   []TestResult
}

// Passed tells that every test has succeeded.
func (r TestRun) Passed() bool {
	return !slices.ContainsFunc(r.Results, func(t TestResult) bool { return t.Phase != release.PhaseSucceeded })
}

// TestResult is what became of one test in all its attempts.
type TestResult struct {
	Test   string
	Suite  string
	Object object.Ref
	// Phase, Reason and Message are those of the last attempt.
	Phase    release.Phase
	Reason   string
	Message  string
	Attempts int
	// Ended is the end of the last attempt, Duration the time of all of them.
	Ended    time.Time
	Duration time.Duration
}

// Flaky tells a test that succeeded, but not at once.
func (t TestResult) Flaky() bool { return t.Phase == release.PhaseSucceeded && t.Attempts > 1 }

// TestRuns are the runs of tests among runs of hooks, in the order of their
// operations. Objects that tests only need are no tests.
func TestRuns(runs []Run) []TestRun {
	var out []TestRun
	at := map[string]int{}
	for _, r := range runs {
		if !r.IsTest() || !r.Object.Is("batch", "Job") && !r.Object.Is("", "Pod") {
			continue
		}
		i, known := at[r.Operation.ID]
		if !known {
			i = len(out)
			at[r.Operation.ID] = i
			out = append(out, TestRun{Operation: r.Operation, Revision: r.Revision, Started: r.Started})
		}
		out[i].add(r)
	}
	return out
}

func (r *TestRun) add(run Run) {
	if run.Started.Before(r.Started) {
		r.Started = run.Started
	}
	if run.Ended.After(r.Ended) {
		r.Ended = run.Ended
	}
	i := slices.IndexFunc(r.Results, func(t TestResult) bool { return t.Object.Key() == run.Object.Key() })
	if i < 0 {
		i = len(r.Results)
		r.Results = append(r.Results, TestResult{Test: run.Hook, Suite: run.Suite, Object: run.Object})
	}
	t := &r.Results[i]
	t.Phase, t.Reason, t.Message, t.Attempts, t.Ended = run.Phase, run.Reason, run.Message, run.Attempt, run.Ended
	t.Duration += run.Duration()
}

// TestStats are what many runs say of one test.
type TestStats struct {
	Test   string
	Suite  string
	Object object.Ref
	// Runs is how often it ran; Passed counts flaky ones too.
	Runs, Passed, Flaky int
	Median              time.Duration
	Last                TestResult
}

// PassRate is between 0 and 1.
func (s TestStats) PassRate() float64 { return float64(s.Passed) / float64(s.Runs) }

// Stats sums runs up, a line for each test in the order in which they first ran.
func Stats(runs []TestRun) []TestStats {
	var out []TestStats
	took := map[object.Key][]time.Duration{}
	for _, run := range runs {
		for _, t := range run.Results {
			key := t.Object.Key()
			i := slices.IndexFunc(out, func(s TestStats) bool { return s.Object.Key() == key })
			if i < 0 {
				i = len(out)
				out = append(out, TestStats{Test: t.Test, Object: t.Object})
			}
			s := &out[i]
			s.Runs++
			s.Suite, s.Last = t.Suite, t
			if t.Phase == release.PhaseSucceeded {
				s.Passed++
			}
			if t.Flaky() {
				s.Flaky++
			}
			took[key] = append(took[key], t.Duration)
		}
	}
	for i := range out {
		out[i].Median = median(took[out[i].Object.Key()])
	}
	return out
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	if n := len(of); n%2 == 0 {
		return (of[n/2-1] + of[n/2]) / 2
	}
	return of[len(of)/2]
}

// Latest gives, of each test, the result of the run in which it ran last.
func Latest(runs []TestRun) map[object.Key]TestResult {
	out := map[object.Key]TestResult{}
	for _, run := range runs {
		for _, t := range run.Results {
			out[t.Object.Key()] = t
		}
	}
	return out
}
