package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// testResultVersion is that of the form below; it grows when a reader of the
// old form would be misled, not when a field is added.
const testResultVersion = 1

// logLines is how many of a container's last lines the result carries.
const logLines = 50

// TestRun is a run of tests as it ended, for the forms in which it is written.
type TestRun struct {
	Release *release.Release
	// Plan has the tests in their order, those too that were not run. Without
	// one the tests are those of Runs.
	Plan *plan.Plan
	// Runs are in the order of their end and may hold several attempts of one
	// test, and hooks that are no tests.
	Runs []ledger.Run
	// LogFiles are where the logs of attempts are, if they were written.
	LogFiles map[Attempt]string
}

// Attempt names one attempt of one test; Number counts from 1.
type Attempt struct {
	Test   object.Key
	Number int
}

// The phases of tests that have none of Helm's: one that was to run and did
// not, and one that the operator left out.
const (
	phaseNotRun  release.Phase = "NotRun"
	phaseSkipped release.Phase = "Skipped"
)

// The types below are `pintle test -o json` and results.json;
// docs/formats/test-results.md describes them.
type testResult struct {
	Version   int            `json:"version"`
	Operation plan.Operation `json:"operation"`
	Release   string         `json:"release"`
	Namespace string         `json:"namespace"`
	Revision  int            `json:"revision"`
	Passed    bool           `json:"passed"`
	Counts    testCounts     `json:"counts"`
	Started   time.Time      `json:"started,omitzero"`
	Ended     time.Time      `json:"ended,omitzero"`
	Seconds   float64        `json:"seconds"`
	Tests     []testReport   `json:"tests"`
}

type testCounts struct {
	Tests  int `json:"tests"`
	Passed int `json:"passed"`
	Flaky  int `json:"flaky"`
	Failed int `json:"failed"`
	NotRun int `json:"notRun"`
	// Skipped are those that the operator left out; they are none of Tests.
	Skipped int `json:"skipped"`
}

type testReport struct {
	Name     string        `json:"name"`
	Object   string        `json:"object"`
	Suite    string        `json:"suite,omitempty"`
	Weight   int           `json:"weight"`
	Phase    release.Phase `json:"phase"`
	Flaky    bool          `json:"flaky,omitempty"`
	Started  time.Time     `json:"started,omitzero"`
	Ended    time.Time     `json:"ended,omitzero"`
	Seconds  float64       `json:"seconds"`
	Reason   string        `json:"reason,omitempty"`
	Message  string        `json:"message,omitempty"`
	Attempts []testAttempt `json:"attempts"`

	// ends tells a Job or Pod from an object that tests only need.
	ends bool
}

type testAttempt struct {
	Attempt    int             `json:"attempt"`
	Phase      release.Phase   `json:"phase"`
	Reason     string          `json:"reason,omitempty"`
	Message    string          `json:"message,omitempty"`
	Started    time.Time       `json:"started"`
	Seconds    float64         `json:"seconds"`
	LogFile    string          `json:"logFile,omitempty"`
	Containers []testContainer `json:"containers,omitempty"`
}

type testContainer struct {
	Pod      string   `json:"pod"`
	Name     string   `json:"name"`
	Init     bool     `json:"init,omitempty"`
	ExitCode *int     `json:"exitCode,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Restarts int      `json:"restarts,omitempty"`
	Log      []string `json:"log,omitempty"`
}

// WriteTestResult writes what came of a run of tests. The table has a row for
// each test.
func WriteTestResult(w io.Writer, run TestRun, f Format) error {
	result := run.result()
	if f == JUnit {
		return writeJUnit(w, result)
	}
	return WriteAs(w, f, result, result.table)
}

func (r testResult) table() string {
	rows := [][]string{{"TEST", "SUITE", "PHASE", "ATTEMPTS", "DURATION", "REASON"}}
	for _, t := range r.Tests {
		phase, took := string(t.Phase), elapsed(seconds(t.Seconds))
		switch {
		case t.Flaky:
			phase += " (flaky)"
		case len(t.Attempts) == 0:
			took = "-"
		}
		rows = append(rows, []string{t.Name, t.Suite, phase, fmt.Sprint(len(t.Attempts)), took, clean(reasonText(t.Reason, t.Message))})
	}
	return columns(rows)
}

// seconds is the duration that a result writes as a number.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// result gathers the attempts of each test, in the order of the plan. Objects
// that tests only need are left out, unless they are what failed.
func (run TestRun) result() testResult {
	b := &resultBuilder{files: run.LogFiles, at: map[object.Key]int{}}
	b.result = testResult{
		Version: testResultVersion, Operation: plan.Test, Release: run.Release.Name, Namespace: run.Release.Namespace,
		Revision: run.Release.Revision, Tests: []testReport{},
	}
	if run.Plan != nil {
		b.result.Operation = run.Plan.Operation
		b.planned(run.Plan)
	}
	for _, r := range run.Runs {
		if r.Event == release.Test {
			b.add(r)
		}
	}
	return b.finish()
}

type resultBuilder struct {
	result testResult
	files  map[Attempt]string
	at     map[object.Key]int
}

func (b *resultBuilder) planned(p *plan.Plan) {
	for _, s := range p.Steps {
		switch a := s.Action.(type) {
		case plan.RunHook:
			if a.Event == release.Test {
				b.test(object.RefOf(a.Object), testReport{Name: a.Hook.Name, Suite: a.Suite, Weight: a.Hook.Weight})
			}
		case plan.SkipHook:
			if a.Event == release.Test {
				b.test(a.Ref, testReport{Name: a.Hook.Name, Suite: a.Suite, Weight: a.Hook.Weight})
			}
		}
	}
}

// test finds the report of a test, or begins it.
func (b *resultBuilder) test(ref object.Ref, fresh testReport) *testReport {
	i, known := b.at[ref.Key()]
	if !known {
		i = len(b.result.Tests)
		b.at[ref.Key()] = i
		fresh.Object, fresh.Phase, fresh.Attempts, fresh.ends = ref.String(), phaseNotRun, []testAttempt{}, runs(ref)
		b.result.Tests = append(b.result.Tests, fresh)
	}
	return &b.result.Tests[i]
}

// add takes in one more attempt; the last one decides.
func (b *resultBuilder) add(run ledger.Run) {
	t := b.test(run.Object, testReport{Name: run.Hook, Suite: run.Suite, Weight: run.Weight})
	if run.Phase == phaseSkipped {
		t.Phase, t.Message = phaseSkipped, run.Message
		return
	}
	if len(t.Attempts) == 0 {
		t.Started = run.Started
	}
	t.Attempts = append(t.Attempts, testAttempt{
		Attempt: run.Attempt, Phase: run.Phase, Reason: run.Reason, Message: run.Message, Started: run.Started,
		Seconds: run.Duration().Seconds(), Containers: testContainers(run.Pods),
		LogFile: b.files[Attempt{Test: run.Object.Key(), Number: run.Attempt}],
	})
	t.Phase, t.Reason, t.Message, t.Ended = run.Phase, run.Reason, run.Message, run.Ended
	t.Seconds += run.Duration().Seconds()
	t.Flaky = run.Phase == release.PhaseSucceeded && len(t.Attempts) > 1
}

// finish counts, and takes the time of all.
func (b *resultBuilder) finish() testResult {
	r := b.result
	all := r.Tests
	r.Tests = []testReport{}
	for _, t := range all {
		if !t.ends && t.Phase != release.PhaseFailed {
			continue
		}
		r.Tests = append(r.Tests, t)
		r.Counts.count(t)
		if r.Started.IsZero() || !t.Started.IsZero() && t.Started.Before(r.Started) {
			r.Started = t.Started
		}
		if t.Ended.After(r.Ended) {
			r.Ended = t.Ended
		}
	}
	r.Passed = r.Counts.Passed == r.Counts.Tests
	r.Seconds = r.Ended.Sub(r.Started).Seconds()
	return r
}

func (c *testCounts) count(t testReport) {
	if t.Phase == phaseSkipped {
		c.Skipped++
		return
	}
	c.Tests++
	switch t.Phase {
	case release.PhaseSucceeded:
		c.Passed++
	case phaseNotRun:
		c.NotRun++
	default:
		c.Failed++
	}
	if t.Flaky {
		c.Flaky++
	}
}

func testContainers(pods []ledger.Pod) []testContainer {
	var out []testContainer
	for _, p := range pods {
		for _, c := range p.Containers {
			report := testContainer{Pod: p.Name, Name: c.Name, Init: c.Init, Reason: c.Reason, Restarts: c.Restarts}
			if c.ExitCode >= 0 {
				code := c.ExitCode
				report.ExitCode = &code
			}
			for _, l := range c.Log.Last(logLines) {
				report.Log = append(report.Log, noCharacters.Replace(l.Text))
			}
			out = append(out, report)
		}
	}
	return out
}

// noCharacters takes out what is none and must be neither in XML nor in YAML.
var noCharacters = strings.NewReplacer("\ufffe", "", "\uffff", "")
