package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// logTime is how the lines of a log file begin.
const logTime = "2006-01-02T15:04:05.000Z"

// TestLogFiles writes the log of each attempt of each test into a file of its
// own, line by line as it comes, so that nothing is lost with the run. It is
// given a run's events beside its view: Sink never blocks. Close ends it.
type TestLogFiles struct {
	dir string
	// below is the folder in dir that the files are in; every takes hooks that
	// are no tests too, with the event in the file's name.
	below string
	every bool
	queue *queue
	done  chan struct{}

	// What follows belongs to the goroutine that writes, until done is closed.
	steps map[string]*testLog
	names map[string]bool
	files map[Attempt]string
	errs  []error
}

// testLog is the log of one test: that of its present attempt.
type testLog struct {
	test    object.Key
	name    string
	attempt int
	file    *os.File
}

// NewTestLogFiles writes into the folder logs of dir, which is made.
func NewTestLogFiles(dir string) (*TestLogFiles, error) {
	l, err := newLogFiles(dir, "logs")
	if err != nil {
		return nil, err
	}
	go l.run()
	return l, nil
}

func newLogFiles(dir, below string) (*TestLogFiles, error) {
	if err := os.MkdirAll(filepath.Join(dir, below), 0o755); err != nil {
		return nil, fmt.Errorf("making the folder for logs: %w", err)
	}
	return &TestLogFiles{
		dir: dir, below: below, queue: newQueue(), done: make(chan struct{}),
		steps: map[string]*testLog{}, names: map[string]bool{}, files: map[Attempt]string{},
	}, nil
}

// NewHookLogFiles writes the logs of all hooks and tests into dir itself, which
// is made.
func NewHookLogFiles(dir string) (*TestLogFiles, error) {
	l, err := newLogFiles(dir, "")
	if err != nil {
		return nil, err
	}
	l.every = true
	go l.run()
	return l, nil
}

// Sink takes an event.
func (l *TestLogFiles) Sink(e event.Event) { l.queue.put(e) }

// Close writes what is left and says which file, as a path below dir, holds
// the log of which attempt. The error joins all that went wrong.
func (l *TestLogFiles) Close() (map[Attempt]string, error) {
	l.queue.close()
	<-l.done
	return l.files, errors.Join(l.errs...)
}

func (l *TestLogFiles) run() {
	defer close(l.done)
	for range l.queue.wake {
		events, dropped, closed := l.queue.drain()
		for _, e := range events {
			l.note(e)
		}
		if dropped > 0 {
			for _, t := range l.steps {
				l.write(t, fmt.Sprintf("... of all tests together, %d lines are missing here: they came faster than they could be written ...", dropped))
			}
		}
		if closed {
			for _, t := range l.steps {
				l.end(t)
			}
			return
		}
	}
}

func (l *TestLogFiles) note(e event.Event) {
	switch e := e.(type) {
	case event.StepStarted:
		if a, ok := e.Step.Action.(plan.RunHook); ok && (l.every || a.Event == release.Test) && runs(object.RefOf(a.Object)) {
			ref := object.RefOf(a.Object)
			l.steps[e.Step.ID] = &testLog{test: ref.Key(), name: l.name(a.Event, ref), attempt: 1}
			l.begin(l.steps[e.Step.ID])
		}
	case event.LogLine:
		if t := l.steps[e.StepID]; t != nil {
			l.write(t, fmt.Sprintf("%s [%s/%s] %s", e.Line.Time.UTC().Format(logTime), e.Pod, e.Container, e.Line.Text))
		}
	case event.RunFinished:
		if t := l.steps[e.StepID]; t != nil {
			l.finish(t, e)
		}
	}
}

// name is the file's for a test, without its ending: the test's own, or with
// its kind and namespace where two are of one name.
func (l *TestLogFiles) name(event release.Event, ref object.Ref) string {
	name := ref.Name
	if l.every {
		name = string(event) + "." + name
	}
	for _, more := range []string{"", strings.ToLower(ref.Kind), ref.Namespace} {
		if more != "" {
			name += "." + more
		}
		if !l.names[name] {
			break
		}
	}
	for n, once := 2, name; l.names[name]; n++ { // the same hook again, in the rollback after
		name = fmt.Sprintf("%s.%d", once, n)
	}
	l.names[name] = true
	return name
}

// begin opens the file of an attempt.
func (l *TestLogFiles) begin(t *testLog) {
	name := t.name
	if t.attempt > 1 {
		name += fmt.Sprintf(".attempt-%d", t.attempt)
	}
	path := filepath.Join(l.below, name+".log")
	file, err := os.Create(filepath.Join(l.dir, path))
	if err != nil {
		l.failed(err)
		return
	}
	t.file = file
	l.files[Attempt{Test: t.test, Number: t.attempt}] = filepath.ToSlash(path)
}

func (l *TestLogFiles) write(t *testLog, text string) {
	if t.file == nil {
		return
	}
	if _, err := t.file.WriteString(text + "\n"); err != nil {
		l.failed(err)
		l.end(t)
	}
}

// finish ends an attempt's file with how it ended, and why.
func (l *TestLogFiles) finish(t *testLog, e event.RunFinished) {
	text := fmt.Sprintf("--- %s, attempt %d, after %s", e.Run.Phase, e.Run.Attempt, elapsed(e.Run.Duration()))
	if why := reasonText(e.Run.Reason, e.Run.Message); why != "" {
		text += ": " + why
	}
	l.write(t, text)
	for _, line := range causeLines(e.Causes, "    ", false) {
		l.write(t, line)
	}
	l.end(t)
	if !e.Final {
		t.attempt++
		l.begin(t)
	}
}

func (l *TestLogFiles) end(t *testLog) {
	if t.file == nil {
		return
	}
	if err := t.file.Close(); err != nil {
		l.failed(err)
	}
	t.file = nil
}

func (l *TestLogFiles) failed(err error) {
	l.errs = append(l.errs, fmt.Errorf("writing the report: %w", err))
}

// WriteTestReport writes results.json and junit.xml into dir, which is made.
func WriteTestReport(dir string, run TestRun) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder for the report: %w", err)
	}
	text, err := json.MarshalIndent(run.result(), "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return WriteJUnitFile(filepath.Join(dir, "junit.xml"), run)
}

// WriteJUnitFile writes the results as JUnit XML into a file; its folder is made.
func WriteJUnitFile(path string, run TestRun) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making the folder for the report: %w", err)
	}
	var b strings.Builder
	if err := writeJUnit(&b, run.result()); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
