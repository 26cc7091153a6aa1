package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
)

// Course is how one operation went, step by step: what lies between the runs
// of hooks and tests, and around them. Runs are not repeated in it; they have
// the same Operation.
type Course struct {
	// These four are those of the document that holds the course.
	Release   string    `json:"-"`
	Namespace string    `json:"-"`
	Revision  int       `json:"-"`
	Operation Operation `json:"-"`

	Ended time.Time `json:"ended"`
	// Outcome is how the operation as a whole ended.
	Outcome Outcome `json:"outcome"`
	// Steps are in the order of the plan, those too that were not run.
	Steps []Step `json:"steps,omitempty"`
}

// Outcome is how a step or an operation ended.
type Outcome string

// The outcomes. A step is never Interrupted: it Failed, or was Skipped.
const (
	OutcomeDone        Outcome = "done"
	OutcomeUnchanged   Outcome = "unchanged"
	OutcomeFailed      Outcome = "failed"
	OutcomeSkipped     Outcome = "skipped"
	OutcomeInterrupted Outcome = "interrupted"
)

// Step is one step of the operation's plan, and what came of it.
type Step struct {
	// ID is unique in the operation, such as "apply/Deployment/web".
	ID string `json:"id"`
	// Block is the part of the plan that the step belongs to: an event of hooks,
	// "apply", "wait", "record" and the like.
	Block string `json:"block"`
	// Words say what the step does, Why for what reason it was in the plan.
	Words string `json:"words"`
	Why   string `json:"why,omitempty"`
	// Objects are those that the step works on.
	Objects []object.Ref `json:"objects,omitempty"`
	// Started and Ended are zero for a step that was not run.
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Outcome Outcome   `json:"outcome"`
	// Note says more in a few words, such as "created".
	Note  string `json:"note,omitempty"`
	Error string `json:"error,omitempty"`
	// Causes explain a failed step, root causes at the leaves.
	Causes []Cause `json:"causes,omitempty"`
	// Observed are the states of objects that the step waited for, in the order
	// in which they were seen to change.
	Observed []Observation `json:"observed,omitempty"`
}

// Cause is one node in the tree from an object to what made it fail.
type Cause struct {
	Subject string `json:"subject"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Lines are the last ones of the container's log.
	Lines    []string `json:"lines,omitempty"`
	Advice   string   `json:"advice,omitempty"`
	Children []Cause  `json:"children,omitempty"`
}

// Observation is the state that an object was seen in, from Time on.
type Observation struct {
	Time   time.Time  `json:"time"`
	Object object.Ref `json:"object"`
	// State is "in progress", "ready", "failed" or another word of internal/health.
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// Conclude adds how an operation went, together with the last of its runs.
// Errors are those of Append; after one that is not Lasting both may be given
// again.
func (b *Book) Conclude(ctx context.Context, c Course, runs []Run) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.addAll(ctx, c.join(documents(runs)))
}

// join brings the course into the last document of its operation's hooks (or
// tests, where it is one of tests), or into one of its own.
func (c Course) join(documents []document) []document {
	h := header{
		Version: formatVersion, Release: c.Release, Namespace: c.Namespace, Revision: c.Revision,
		Tests: c.Operation.Name == "test", Operation: c.Operation,
	}
	for i, d := range slices.Backward(documents) {
		if d.same(h) {
			documents[i].Course = &c
			return documents
		}
	}
	return append(documents, document{header: h, Course: &c})
}

// shorten takes the longest part away; nil when little is left to take.
func (c Course) shorten() *Course {
	if len(c.Steps) < 2 {
		return nil
	}
	observed := false
	steps := make([]Step, len(c.Steps))
	for i, s := range c.Steps {
		observed = observed || len(s.Observed) > 0 || len(s.Causes) > 0
		s.Observed, s.Causes = nil, nil
		steps[i] = s
	}
	if !observed {
		steps = steps[:len(steps)/2]
	}
	c.Steps = steps
	return &c
}
