package ui

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
)

// The types below are the JUnit form of a test run: the dialect that Jenkins,
// GitLab, GitHub's actions, Azure and others read, with Surefire's elements
// for attempts. testdata/junit.xsd describes it.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name      string         `xml:"name,attr"`
	Class     string         `xml:"classname,attr"`
	Time      string         `xml:"time,attr"`
	Skipped   *junitProblem  `xml:"skipped"`
	Failure   *junitProblem  `xml:"failure"`
	Error     *junitProblem  `xml:"error"`
	Attempts  []junitAttempt `xml:",any"`
	SystemOut *junitText     `xml:"system-out"`
}

type junitProblem struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr,omitempty"`
	Text    string `xml:",cdata"`
}

// junitText is text that keeps its newlines for those who read the file as it is.
type junitText struct {
	Text string `xml:",cdata"`
}

// junitAttempt is one of Surefire's elements for an attempt beside the first:
// flakyFailure and flakyError before one that passed, rerunFailure and
// rerunError after a first one that failed.
type junitAttempt struct {
	XMLName   xml.Name
	Type      string     `xml:"type,attr"`
	Message   string     `xml:"message,attr,omitempty"`
	SystemOut *junitText `xml:"system-out"`
}

func writeJUnit(w io.Writer, r testResult) error {
	text, err := xml.MarshalIndent(junitOf(r), "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit XML: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

// junitOf makes a testsuite of each suite, and one of the release's name for
// the tests that belong to none.
func junitOf(r testResult) junitSuites {
	out := junitSuites{Name: r.Release, Time: junitTime(r.Seconds)}
	at := map[string]int{}
	for _, t := range r.Tests {
		name := t.Suite
		if name == "" {
			name = r.Release
		}
		i, known := at[name]
		if !known {
			i = len(out.Suites)
			at[name] = i
			out.Suites = append(out.Suites, newJUnitSuite(name, r))
		}
		out.Suites[i].add(t)
	}
	for i := range out.Suites {
		s := &out.Suites[i]
		s.Time = junitTime(sumSeconds(r, s.Name))
		out.Tests, out.Failures, out.Errors = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors
	}
	return out
}

func sumSeconds(r testResult, suite string) float64 {
	sum := 0.0
	for _, t := range r.Tests {
		if t.Suite == suite || t.Suite == "" && suite == r.Release {
			sum += t.Seconds
		}
	}
	return sum
}

func newJUnitSuite(name string, r testResult) junitSuite {
	s := junitSuite{Name: name, Properties: []junitProperty{
		{"pintle.operation", string(r.Operation)}, {"pintle.release", r.Release},
		{"pintle.namespace", r.Namespace}, {"pintle.revision", fmt.Sprint(r.Revision)},
	}}
	if !r.Started.IsZero() {
		s.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	}
	return s
}

func (s *junitSuite) add(t testReport) {
	c := junitCase{Name: t.Name, Class: s.Name, Time: junitTime(t.Seconds)}
	s.Tests++
	switch t.Phase {
	case release.PhaseSucceeded:
		for _, a := range t.Attempts[:len(t.Attempts)-1] {
			c.Attempts = append(c.Attempts, a.junit("flaky"))
		}
	case phaseNotRun:
		s.Skipped++
		c.Skipped = &junitProblem{Message: "it was not run"}
	case phaseSkipped:
		s.Skipped++
		c.Skipped = &junitProblem{Message: clean(t.Message)}
	default:
		c.fail(t)
		if c.Error != nil {
			s.Errors++
		} else {
			s.Failures++
		}
	}
	if n := len(t.Attempts); n > 0 {
		c.SystemOut = t.Attempts[n-1].output()
	}
	s.Cases = append(s.Cases, c)
}

// fail notes the first attempt as the failure and the others as its repetitions.
func (c *junitCase) fail(t testReport) {
	first := t.Attempts[0]
	problem := &junitProblem{Type: first.kind(), Message: clean(reasonText(first.Reason, first.Message)), Text: first.log()}
	if first.broken() {
		c.Error = problem
	} else {
		c.Failure = problem
	}
	for _, a := range t.Attempts[1:] {
		c.Attempts = append(c.Attempts, a.junit("rerun"))
	}
}

func (a testAttempt) junit(prefix string) junitAttempt {
	out := junitAttempt{Type: a.kind(), Message: clean(reasonText(a.Reason, a.Message)), SystemOut: a.output()}
	out.XMLName.Local = prefix + "Failure"
	if a.broken() {
		out.XMLName.Local = prefix + "Error"
	}
	return out
}

func (a testAttempt) kind() string {
	if a.Reason == "" {
		return "Error"
	}
	return a.Reason
}

// broken tells an attempt that came to no judgement, such as one whose image
// could not be pulled, from one whose program said no.
func (a testAttempt) broken() bool {
	switch a.Reason {
	case "Timeout", "Deleted", "Interrupted":
		return true
	}
	for _, c := range a.Containers {
		if c.ExitCode != nil && *c.ExitCode != 0 {
			return false
		}
	}
	return true
}

// log is what all containers said last, each line behind its container, in
// characters that XML can hold.
func (a testAttempt) log() string {
	var b strings.Builder
	for _, c := range a.Containers {
		for _, l := range c.Log {
			fmt.Fprintf(&b, "[%s] %s\n", c.Name, clean(l))
		}
	}
	return b.String()
}

// output is the log as an element; nil, for none, where nothing was said.
func (a testAttempt) output() *junitText {
	if text := a.log(); text != "" {
		return &junitText{text}
	}
	return nil
}

func junitTime(s float64) string {
	return fmt.Sprintf("%.3f", time.Duration(s*float64(time.Second)).Seconds())
}
