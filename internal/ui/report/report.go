// Package report tells the story of one revision of a release as a document of
// its own: a page with a timeline, a picture of it, or data. It is made from
// the release's record and its ledger; it reads nothing itself, and what it
// writes asks nothing of a network. docs/formats/report.md describes the data.
package report

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
)

// formatVersion is that of Report as JSON; it grows when a reader of the form
// before would be misled, not when a field is added.
const formatVersion = 1

// Input is what a report is made from.
type Input struct {
	Release   string
	Namespace string
	Revision  int
	// Record is nil for a revision whose record is gone.
	Record *release.Release
	// Story is what the ledger holds of the revision.
	Story ledger.Story
}

// Report is the story of a revision.
type Report struct {
	Version     int       `json:"version"`
	Release     string    `json:"release"`
	Namespace   string    `json:"namespace"`
	Revision    int       `json:"revision"`
	Chart       string    `json:"chart,omitempty"`
	AppVersion  string    `json:"appVersion,omitempty"`
	Status      string    `json:"status,omitempty"`
	Description string    `json:"description,omitempty"`
	Deployed    time.Time `json:"deployed,omitzero"`
	// Operations are those that worked on the revision, oldest first.
	Operations []Operation `json:"operations"`
}

// Operation is one install, upgrade, rollback, uninstall or test.
type Operation struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	By      string    `json:"by,omitempty"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Seconds float64   `json:"seconds"`
	// Outcome is done, failed, interrupted or unknown: the last when the end of
	// the operation was never stored.
	Outcome ledger.Outcome `json:"outcome"`
	// Sources tells what the operation is known from.
	Source Source `json:"source"`
	Lanes  []Lane `json:"lanes"`
}

// OutcomeUnknown is that of an operation whose end was not stored.
const OutcomeUnknown ledger.Outcome = "unknown"

// Source says what an operation is known from.
type Source string

// The sources, from the best to the poorest.
const (
	// FromCourse: every step and every run.
	FromCourse Source = "course"
	// FromRuns: the runs of hooks and tests only.
	FromRuns Source = "runs"
	// FromRecord: nothing but how each hook ended.
	FromRecord Source = "record"
)

// Kind is what a lane shows.
type Kind string

// The kinds of lanes.
const (
	Hook   Kind = "hook"
	Test   Kind = "test"
	Object Kind = "object"
	// Step is work that is none of an object of the chart.
	Step Kind = "step"
)

// Lane is one line of the timeline.
type Lane struct {
	Kind Kind `json:"kind"`
	// Block is the part of the operation, such as pre-upgrade, apply or test.
	Block string `json:"block"`
	// Name is for people; Objects are spelled Kind/namespace/name. A lane of
	// many objects stands for those of one kind that met the same fate.
	Name    string   `json:"name"`
	Objects []string `json:"objects,omitempty"`
	Suite   string   `json:"suite,omitempty"`
	Weight  int      `json:"weight,omitempty"`
	// Outcome of the lane as a whole. Flaky tells a success that was not the
	// first attempt.
	Outcome ledger.Outcome `json:"outcome"`
	Flaky   bool           `json:"flaky,omitempty"`
	Note    string         `json:"note,omitempty"`
	Error   string         `json:"error,omitempty"`
	Started time.Time      `json:"started,omitzero"`
	Ended   time.Time      `json:"ended,omitzero"`
	Seconds float64        `json:"seconds"`
	Bars    []Bar          `json:"bars,omitempty"`
	Causes  []ledger.Cause `json:"causes,omitempty"`
	// Observed are the states that a wait saw, Runs the attempts of a hook or
	// test with their logs, as docs/formats/ledger.md describes them.
	Observed []ledger.Observation `json:"observed,omitempty"`
	Runs     []ledger.Run         `json:"runs,omitempty"`
}

// BarKind is what fills a stretch of time.
type BarKind string

// The kinds of bars.
const (
	// Run is an attempt of a hook or test at work, Change a request that
	// creates, changes or deletes, Wait a time in which nothing could be done.
	Run    BarKind = "run"
	Change BarKind = "change"
	Wait   BarKind = "wait"
)

// Bar is a stretch of a lane.
type Bar struct {
	Kind    BarKind        `json:"kind"`
	Started time.Time      `json:"started"`
	Ended   time.Time      `json:"ended"`
	Outcome ledger.Outcome `json:"outcome,omitempty"`
	Text    string         `json:"text"`
}

// New makes the report.
func New(in Input) *Report {
	r := &Report{Version: formatVersion, Release: in.Release, Namespace: in.Namespace, Revision: in.Revision, Operations: []Operation{}}
	if in.Record != nil {
		r.record(in.Record)
	}
	runs := map[string][]ledger.Run{}
	var order []ledger.Operation
	meet := func(o ledger.Operation) {
		if _, known := runs[o.ID]; !known {
			runs[o.ID] = nil
			order = append(order, o)
		}
	}
	courses := map[string]*ledger.Course{}
	for i, c := range in.Story.Courses {
		meet(c.Operation)
		courses[c.Operation.ID] = &in.Story.Courses[i]
	}
	for _, run := range in.Story.Runs {
		meet(run.Operation)
		runs[run.Operation.ID] = append(runs[run.Operation.ID], run)
	}
	for _, o := range order {
		r.Operations = append(r.Operations, operation(o, courses[o.ID], runs[o.ID]))
	}
	if len(order) == 0 && in.Record != nil {
		if o, ok := recorded(in.Record); ok {
			r.Operations = append(r.Operations, o)
		}
	}
	sortOperations(r.Operations)
	return r
}

func (r *Report) record(rec *release.Release) {
	meta := rec.ChartMetadata()
	r.Chart = meta.Name
	if meta.Version != "" {
		r.Chart += "-" + meta.Version
	}
	r.AppVersion, r.Status, r.Description = meta.AppVersion, string(rec.Info.Status), rec.Info.Description
	r.Deployed = rec.Info.LastDeployed
}

func (r *Report) heading() string {
	return fmt.Sprintf("%s, revision %d", r.Release, r.Revision)
}
