package ui

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// lastLines is how many lines of each container of a failed test are shown at
// the end of a run.
const lastLines = 100

// testNews gathers what there is to say of a plan's tests when it has ended.
type testNews struct {
	passed, flaky int
	failed        []ledger.Run
}

// note takes in how a test's attempt ended.
func (t *testNews) note(e event.RunFinished) {
	if !e.Final || e.Run.Event != release.Test || e.Run.Phase == phaseSkipped {
		return
	}
	switch {
	case e.Run.Phase != release.PhaseSucceeded:
		t.failed = append(t.failed, e.Run)
	case !runs(e.Run.Object):
	case e.Run.Attempt > 1:
		t.flaky++
		t.passed++
	default:
		t.passed++
	}
}

// sum is one line that counts, or none where no test has run.
func (t *testNews) sum() []line {
	total := t.passed + len(t.failed)
	if total == 0 {
		return nil
	}
	subject := fmt.Sprintf("%d tests", total)
	if total == 1 {
		subject = "1 test"
	}
	l := line{phase: string(release.Test), subject: subject, text: fmt.Sprintf("%d passed", t.passed), look: good}
	if t.flaky > 0 {
		l.text, l.look = l.text+fmt.Sprintf(" (%d flaky)", t.flaky), warn
	}
	if n := len(t.failed); n > 0 {
		l.text, l.look = l.text+fmt.Sprintf(", %d failed", n), bad
	}
	return []line{l}
}

// logs are those of the tests that failed, of all their containers: the last
// lines of each. One that nobody wrote is left out.
func (t *testNews) logs() []line {
	var lines []line
	for _, run := range t.failed {
		var own []line
		for _, p := range run.Pods {
			for _, c := range p.Containers {
				own = append(own, lastLog(run.Hook, c)...)
			}
		}
		if len(own) > 0 {
			lines = append(lines, line{raw: fmt.Sprintf("log of test %s:", run.Object.Short()), look: bold})
			lines = append(lines, own...)
		}
	}
	return lines
}

func lastLog(hook string, c ledger.Container) []line {
	var lines []line
	last := c.Log.Last(lastLines)
	if more := c.Log.Lines - len(last); more > 0 && len(last) > 0 {
		lines = append(lines, line{raw: "  " + logText(hook, c.Name, fmt.Sprintf("... %d lines before, shown with --logs=failed ...", more)), look: faint})
	}
	for _, l := range last {
		lines = append(lines, line{raw: "  " + strings.TrimRight(logText(hook, c.Name, l.Text), " ")})
	}
	return lines
}

// isTest tells the steps that run tests.
func isTest(s plan.Step) bool {
	a, ok := s.Action.(plan.RunHook)
	return ok && a.Event == release.Test
}
