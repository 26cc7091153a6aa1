package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// testStory is a run of three tests: one fails after much talk, one is flaky,
// one fails without a word.
func testStory() *story {
	login, schema, image := ref("Pod", "login"), ref("Job", "schema"), ref("Pod", "image")
	s := newStory(plan.Test, testStep(login, 0), testStep(schema, 1), testStep(image, 2))
	id := func(r object.Ref) string { return "test/" + r.Short() }
	ended := func(r object.Ref, run ledger.Run, final bool, why string) {
		run.Started, run.Ended = s.began, s.now
		var causes []health.Cause
		if why != "" {
			causes = []health.Cause{{Subject: r.String(), Message: why, Lines: []string{"the last line"}}}
		}
		s.add(event.RunFinished{StepID: id(r), Run: run, Final: final, Causes: causes})
		switch {
		case final && why != "":
			s.fail(id(r), errors.New(why), causes...)
		case final:
			s.finish(id(r), event.Done, "")
		}
	}
	talk := make([]string, 150)
	for i := range talk {
		talk[i] = fmt.Sprintf("line %d", i+1)
	}
	s.start(id(login))
	s.wait(2 * time.Second)
	ended(login, attempt(login, 1, "Error", "exit code 3",
		ledger.Container{Name: "token", Init: true, Log: logOf("fetching a token")},
		ledger.Container{Name: "main", ExitCode: 3, Log: logOf(talk...)}), true, "exit code 3")
	s.start(id(schema))
	s.wait(time.Second)
	ended(schema, attempt(schema, 1, "Error", "exit code 1", ledger.Container{Name: "main", ExitCode: 1, Log: logOf("not yet")}), false, "exit code 1")
	s.wait(time.Second)
	ended(schema, attempt(schema, 2, "", "", ledger.Container{Name: "main", Log: logOf("fine")}), true, "")
	s.start(id(image))
	s.wait(time.Second)
	ended(image, attempt(image, 1, "ErrImagePull", "no such image", ledger.Container{Name: "main", ExitCode: -1}), true, "no such image")
	return s
}

func TestLogsOfFailedTestsComeAtTheEnd(t *testing.T) {
	text := play(testStory().end(true), Options{Logs: LogsAuto})
	long := 0
	for l := range strings.Lines(text) {
		if strings.Contains(l, "[login/main] line ") {
			long++
		}
	}
	if long != lastLines {
		t.Errorf("%d lines of a long log are shown", long)
	}
	// What is in between says nothing more.
	head, rest, _ := strings.Cut(text, "  [login/main] line 52\n")
	_, tail, _ := strings.Cut(rest, "  [login/main] line 149\n")
	golden(t, "plain-tests", head+"  ...\n"+tail)
}

func TestLogsOfTestsAreShownOnce(t *testing.T) {
	for _, mode := range []LogMode{LogsAlways, LogsNever, LogsFailed} {
		if text := play(testStory().end(true), Options{Logs: mode}); strings.Contains(text, "log of test") {
			t.Errorf("--logs=%s shows logs at the end", mode)
		}
	}
	if n := strings.Count(play(testStory().end(true), Options{Logs: LogsFailed}), "fetching a token"); n != 1 {
		t.Errorf("--logs=failed shows a line %d times", n)
	}
}
