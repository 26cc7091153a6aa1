package ui

import (
	"fmt"
	"io"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// testResultVersion is that of the form below; it grows when a reader of the
// old form would be misled, not when a field is added.
const testResultVersion = 1

// logLines is how many of a container's last lines the result carries.
const logLines = 50

// The types below are `pintle test -o json`; docs/formats/test-result.md
// describes them.
type testResult struct {
	Version   int          `json:"version"`
	Release   string       `json:"release"`
	Namespace string       `json:"namespace"`
	Revision  int          `json:"revision"`
	Passed    bool         `json:"passed"`
	Tests     []testReport `json:"tests"`
}

type testReport struct {
	Name     string        `json:"name"`
	Object   string        `json:"object"`
	Suite    string        `json:"suite,omitempty"`
	Weight   int           `json:"weight"`
	Phase    release.Phase `json:"phase"`
	Flaky    bool          `json:"flaky,omitempty"`
	Started  time.Time     `json:"started"`
	Ended    time.Time     `json:"ended,omitzero"`
	Seconds  float64       `json:"seconds"`
	Reason   string        `json:"reason,omitempty"`
	Message  string        `json:"message,omitempty"`
	Attempts []testAttempt `json:"attempts"`
}

type testAttempt struct {
	Attempt    int             `json:"attempt"`
	Phase      release.Phase   `json:"phase"`
	Reason     string          `json:"reason,omitempty"`
	Message    string          `json:"message,omitempty"`
	Seconds    float64         `json:"seconds"`
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

// WriteTestResult writes what came of a run of tests; runs are in the order of
// their end and may hold several attempts of one test. The table has a row for
// each test.
func WriteTestResult(w io.Writer, r *release.Release, runs []ledger.Run, f Format) error {
	result := testResultOf(r, runs)
	return WriteAs(w, f, result, func() string {
		rows := [][]string{{"TEST", "SUITE", "PHASE", "ATTEMPTS", "DURATION", "REASON"}}
		for _, t := range result.Tests {
			phase := string(t.Phase)
			if t.Flaky {
				phase += " (flaky)"
			}
			took := time.Duration(t.Seconds * float64(time.Second))
			rows = append(rows, []string{t.Name, t.Suite, phase, fmt.Sprint(len(t.Attempts)), elapsed(took), clean(reasonText(t.Reason, t.Message))})
		}
		return columns(rows)
	})
}

// testResultOf gathers the attempts of each test, in the order of the first.
func testResultOf(r *release.Release, runs []ledger.Run) testResult {
	result := testResult{
		Version: testResultVersion, Release: r.Name, Namespace: r.Namespace, Revision: r.Revision, Passed: true, Tests: []testReport{},
	}
	at := map[object.Key]int{}
	for _, run := range runs {
		if run.Event != release.Test {
			continue
		}
		i, ok := at[run.Object.Key()]
		if !ok {
			i = len(result.Tests)
			at[run.Object.Key()] = i
			result.Tests = append(result.Tests, testReport{
				Name: run.Hook, Object: run.Object.String(), Suite: run.Suite, Weight: run.Weight, Started: run.Started,
			})
		}
		result.Tests[i].add(run)
	}
	for _, t := range result.Tests {
		result.Passed = result.Passed && t.Phase == release.PhaseSucceeded
	}
	return result
}

// add takes in one more attempt; the last one decides.
func (t *testReport) add(run ledger.Run) {
	t.Attempts = append(t.Attempts, testAttempt{
		Attempt: run.Attempt, Phase: run.Phase, Reason: run.Reason, Message: run.Message,
		Seconds: run.Duration().Seconds(), Containers: testContainers(run.Pods),
	})
	t.Phase, t.Reason, t.Message, t.Ended = run.Phase, run.Reason, run.Message, run.Ended
	t.Seconds += run.Duration().Seconds()
	t.Flaky = run.Phase == release.PhaseSucceeded && len(t.Attempts) > 1
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
				report.Log = append(report.Log, l.Text)
			}
			out = append(out, report)
		}
	}
	return out
}
