package ui

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

func logOf(lines ...string) ledger.Log {
	log := ledger.Log{Limits: ledger.DefaultLimits()}
	for i, l := range lines {
		log.Add(ledger.Line{Time: start.Add(time.Duration(i) * time.Second), Text: l})
	}
	return log
}

// attempt is a run of a test that took 1.5 seconds and, unless reason is empty, failed.
func attempt(r object.Ref, number int, reason, message string, containers ...ledger.Container) ledger.Run {
	began := start.Add(time.Duration(number-1) * 3 * time.Second)
	run := ledger.Run{
		Event: release.Test, Hook: r.Name, Suite: suites[r.Name], Attempt: number, Object: r,
		Phase: release.PhaseSucceeded, Started: began, Ended: began.Add(1500 * time.Millisecond),
	}
	if reason != "" {
		run.Phase, run.Reason, run.Message = release.PhaseFailed, reason, message
	}
	if len(containers) > 0 {
		run.Pods = []ledger.Pod{{Name: r.Name, Namespace: "shop", Containers: containers}}
	}
	return run
}

var suites = map[string]string{"schema": "data", "rows": "data", "login": "auth"}

func testStep(r object.Ref, stage int) plan.Step {
	s := hookStep(release.Test, r)
	a := s.Action.(plan.RunHook)
	a.Hook.Weight, a.Suite, a.Retries = stage*5, suites[r.Name], 1
	s.Action, s.Stage = a, stage
	return s
}

// storefrontTests is a run with every fate that a test may have.
func storefrontTests() TestRun {
	fixture := object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "fixture"}
	account := object.Ref{Version: "v1", Kind: "ServiceAccount", Namespace: "shop", Name: "tester"}
	p := &plan.Plan{Operation: plan.Test, Release: "storefront", Namespace: "shop", Revision: 3}
	for i, r := range []object.Ref{fixture, account, ref("Pod", "dns"), ref("Job", "schema"), ref("Pod", "rows"), ref("Pod", "login"), ref("Pod", "image"), ref("Pod", "last"), ref("Pod", "slow")} {
		p.Steps = append(p.Steps, testStep(r, max(0, i-1)/2))
	}
	p.Steps = append(p.Steps, cleanStep(release.Test, ref("Pod", "dns")))
	said := func(lines ...string) ledger.Container {
		return ledger.Container{Name: "main", ExitCode: 1, Reason: "Error", Log: logOf(lines...)}
	}
	return TestRun{Release: record("storefront", 3, release.Deployed), Plan: p, Runs: []ledger.Run{
		attempt(fixture, 1, "", ""),
		attempt(account, 1, "Forbidden", "you may not"),
		attempt(ref("Job", "schema"), 1, "BackoffLimitExceeded", "container main ended with exit code 1", said("expected 1.2.3,", "\x1b[31mgot 1.2.2\x1b[0m & <more>")),
		attempt(ref("Pod", "dns"), 1, "", "", ledger.Container{Name: "look", Init: true, Log: logOf("found")}, ledger.Container{Name: "main"}),
		attempt(ref("Job", "schema"), 2, "", "", ledger.Container{Name: "main", Log: logOf("1.2.3")}),
		{Event: release.PreUpgrade, Hook: "migrate", Object: migrate, Phase: release.PhaseSucceeded},
		attempt(ref("Pod", "rows"), 1, "Error", "container main ended with exit code 1", said("3 rows", "]]> \x00\xff \ufffe end")),
		attempt(ref("Pod", "rows"), 2, "Timeout", "it did not finish within 5m0s", ledger.Container{Name: "main", ExitCode: -1}),
		attempt(ref("Pod", "login"), 1, "Error", "container main ended with exit code 1", said("want 401, got 200 %"), ledger.Container{Name: "side", ExitCode: -1}),
		{Event: release.Test, Hook: "slow", Attempt: 1, Object: ref("Pod", "slow"), Phase: phaseSkipped, Reason: "Skipped", Message: "the operator said so", Started: start, Ended: start},
		attempt(ref("Pod", "image"), 1, "ErrImagePull", "there is no image shop:9", ledger.Container{Name: "main", ExitCode: -1, Reason: "ErrImagePull"}),
	}}
}

func TestTestResult(t *testing.T) {
	run := storefrontTests()
	run.LogFiles = map[Attempt]string{{Test: ref("Pod", "login").Key(), Number: 1}: "logs/login.log"}
	var all strings.Builder
	for _, f := range []Format{Table, JSON, YAML} {
		all.WriteString(shown(t, func(w *strings.Builder) error { return WriteTestResult(w, run, f) }) + "\n")
	}
	all.WriteString(shown(t, func(w *strings.Builder) error {
		return WriteTestResult(w, TestRun{Release: record("storefront", 3, release.Deployed)}, JSON)
	}))
	golden(t, "test-result", all.String())
}

func TestOnlyARunThatIsWholePasses(t *testing.T) {
	one, two := ref("Pod", "dns"), ref("Pod", "last")
	p := &plan.Plan{Steps: []plan.Step{testStep(one, 0), testStep(two, 1)}}
	tests := map[string]struct {
		runs   []ledger.Run
		passed bool
	}{
		"all":            {[]ledger.Run{attempt(one, 1, "", ""), attempt(two, 1, "", "")}, true},
		"one was flaky":  {[]ledger.Run{attempt(one, 1, "Error", "no"), attempt(one, 2, "", ""), attempt(two, 1, "", "")}, true},
		"one failed":     {[]ledger.Run{attempt(one, 1, "", ""), attempt(two, 1, "Error", "no")}, false},
		"one is missing": {[]ledger.Run{attempt(one, 1, "", "")}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := TestRun{Release: record("storefront", 3, release.Deployed), Plan: p, Runs: tt.runs}.result()
			if r.Passed != tt.passed || r.Counts.Tests != 2 {
				t.Errorf("passed %v, counts %+v", r.Passed, r.Counts)
			}
		})
	}
}

func TestJUnit(t *testing.T) {
	text := shown(t, func(w *strings.Builder) error { return WriteTestResult(w, storefrontTests(), JUnit) })
	golden(t, "junit", text)
	xsd, err := os.ReadFile("testdata/junit.xsd")
	if err != nil {
		t.Fatal(err)
	}
	s := readSchema(t, string(xsd))
	for _, wrong := range s.check(parseXML(t, text)) {
		t.Error(wrong)
	}
	none := shown(t, func(w *strings.Builder) error {
		return WriteTestResult(w, TestRun{Release: record("storefront", 3, release.Deployed)}, JUnit)
	})
	for _, wrong := range s.check(parseXML(t, none)) {
		t.Errorf("without tests: %s", wrong)
	}
	// What the schema must not let pass: else the checks above say nothing.
	for _, bad := range [][2]string{
		{` classname="auth"`, ""}, {`time="1.500"`, `time="1.5s"`}, {"skipped", "ignored"}, {`tests="`, `test="`},
		{"<system-out>", "<system-out></system-out><system-out>"}, {"</properties>", "</properties>text"}, {"<properties>", "<properties><testcase/>"},
	} {
		changed := strings.ReplaceAll(text, bad[0], bad[1])
		if changed == text {
			t.Errorf("there is no %s to spoil", bad[0])
		}
		if len(s.check(parseXML(t, changed))) == 0 {
			t.Errorf("valid with %q for %q", bad[1], bad[0])
		}
	}
}

func TestJUnitByXmllint(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed; the schema is checked without it too")
	}
	out, err := exec.CommandContext(t.Context(), xmllint, "--noout", "--schema", "testdata/junit.xsd", "testdata/junit.golden").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTestList(t *testing.T) {
	var all strings.Builder
	for _, f := range []Format{Table, JSON} {
		all.WriteString(shown(t, func(w *strings.Builder) error { return WriteTestList(w, storefrontTests().Plan, f) }) + "\n")
	}
	golden(t, "test-list", all.String())
}

func TestAnnotations(t *testing.T) {
	var b strings.Builder
	for _, form := range []Annotations{AnnotateGitHub, AnnotateGitLab, AnnotateNone} {
		b.WriteString(string(form) + "\n")
		WriteAnnotations(&b, storefrontTests(), form, start)
	}
	golden(t, "annotations", strings.ReplaceAll(b.String(), "\x1b", "ESC"))
}

func TestTestBlock(t *testing.T) {
	run := storefrontTests()
	run.Release.Hooks = nil
	seen := map[string]bool{}
	for _, r := range run.Runs {
		if seen[r.Hook] || r.Phase == phaseSkipped {
			continue
		}
		seen[r.Hook] = true
		run.Release.Hooks = append(run.Release.Hooks, &release.Hook{
			Name: r.Hook, Kind: r.Object.Kind, Events: []release.Event{r.Event},
			LastRun: release.Execution{StartedAt: r.Started, CompletedAt: r.Ended, Phase: r.Phase},
		})
	}
	golden(t, "test-block", shown(t, func(w *strings.Builder) error { return WriteTests(w, run.Release, run.Runs) }))
}

// TestReport plays the events of a run and reads the folder that is left.
func TestReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	files, err := NewTestLogFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	run := storefrontTests()
	rows, job := testStep(ref("Pod", "rows"), 0), testStep(ref("Job", "rows"), 0)
	files.Sink(event.StepStarted{Step: rows})
	files.Sink(event.StepStarted{Step: job})
	say := func(s plan.Step, container, text string) {
		files.Sink(event.LogLine{StepID: s.ID, Hook: "rows", Test: true, Pod: "rows", Container: container, Line: ledger.Line{Time: start, Text: text}})
	}
	say(rows, "prepare", "fetching")
	say(job, "main", "of the job")
	say(rows, "main", "3 rows")
	files.Sink(event.RunFinished{StepID: rows.ID, Run: run.Runs[6], Causes: []health.Cause{{Subject: "Pod/shop/rows", Message: "ended with exit code 1", Lines: []string{"3 rows"}}}})
	say(rows, "main", "again 3 rows")
	files.Sink(event.RunFinished{StepID: rows.ID, Run: run.Runs[7], Final: true})
	say(testStep(ref("Pod", "other"), 0), "main", "of a step that has not started")
	if run.LogFiles, err = files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := WriteTestReport(dir, run); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	paths, _ := filepath.Glob(filepath.Join(dir, "logs", "*"))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("== " + filepath.Base(path) + "\n" + string(text))
	}
	golden(t, "report-logs", all.String())
	var result testResult
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err := errors.Join(err, json.Unmarshal(text, &result)); err != nil {
		t.Fatal(err)
	}
	for _, test := range result.Tests {
		if test.Name == "rows" && (test.Attempts[0].LogFile != "logs/rows.log" || test.Attempts[1].LogFile != "logs/rows.attempt-2.log") {
			t.Errorf("the files of rows are %q and %q", test.Attempts[0].LogFile, test.Attempts[1].LogFile)
		}
	}
	junit, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	if err != nil || !strings.Contains(string(junit), `<testsuites name="storefront"`) {
		t.Errorf("junit.xml: %v\n%s", err, junit)
	}
}

func TestReportIntoAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewTestLogFiles(file); err == nil {
		t.Error("a file was taken for a folder")
	}
	if err := WriteTestReport(file, storefrontTests()); err == nil {
		t.Error("a file was taken for a folder")
	}
}
