package ui

import (
	"io"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
)

// testResultVersion is the version of the form of testResult.
const testResultVersion = 1

// testResult is what `test -o json` gives.
type testResult struct {
	Version   int    `json:"version"`
	Release   string `json:"release"`
	Namespace string `json:"namespace"`
	Revision  int    `json:"revision"`
	// Phase is Succeeded unless a test has failed.
	Phase string    `json:"phase"`
	Tests []testRow `json:"tests"`
}

// testRow is one test and how its last attempt ended.
type testRow struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`
	Suite    string    `json:"suite,omitempty"`
	Phase    string    `json:"phase"`
	Attempts int       `json:"attempts"`
	Flaky    bool      `json:"flaky"`
	Started  time.Time `json:"started_at"`
	Ended    time.Time `json:"completed_at,omitzero"`
	Seconds  float64   `json:"duration_seconds"`
	Reason   string    `json:"reason,omitempty"`
	Message  string    `json:"message,omitempty"`
	Pods     []testPod `json:"pods,omitempty"`
}

type testPod struct {
	Name       string          `json:"name"`
	Namespace  string          `json:"namespace"`
	Containers []testContainer `json:"containers"`
}

type testContainer struct {
	Name     string `json:"name"`
	ExitCode int    `json:"exit_code"`
	Reason   string `json:"reason,omitempty"`
	Restarts int    `json:"restarts"`
}

// WriteTestResult writes the outcome of a run of tests for programs: every
// test that ran, in the order in which they ended.
func WriteTestResult(w io.Writer, r *release.Release, runs []ledger.Run, f Format) error {
	result := testResult{
		Version: testResultVersion, Release: r.Name, Namespace: r.Namespace, Revision: r.Revision,
		Phase: string(release.PhaseSucceeded), Tests: []testRow{},
	}
	at := map[string]int{}
	for _, run := range runs {
		if run.Event != release.Test {
			continue
		}
		row, key := rowOfRun(run), run.Object.String()
		if i, again := at[key]; again {
			result.Tests[i] = row
			continue
		}
		at[key] = len(result.Tests)
		result.Tests = append(result.Tests, row)
	}
	for _, row := range result.Tests {
		if row.Phase != string(release.PhaseSucceeded) {
			result.Phase = string(release.PhaseFailed)
		}
	}
	return WriteAs(w, f, result, nil)
}

func rowOfRun(run ledger.Run) testRow {
	row := testRow{
		Name: run.Hook, Kind: run.Object.Kind, Suite: run.Suite, Phase: string(run.Phase), Attempts: run.Attempt,
		Flaky:   run.Attempt > 1 && run.Phase == release.PhaseSucceeded,
		Started: run.Started, Ended: run.Ended, Seconds: run.Duration().Seconds(), Reason: run.Reason, Message: run.Message,
	}
	for _, p := range run.Pods {
		pod := testPod{Name: p.Name, Namespace: p.Namespace, Containers: []testContainer{}}
		for _, c := range p.Containers {
			pod.Containers = append(pod.Containers, testContainer{Name: c.Name, ExitCode: c.ExitCode, Reason: c.Reason, Restarts: c.Restarts})
		}
		row.Pods = append(row.Pods, pod)
	}
	return row
}
