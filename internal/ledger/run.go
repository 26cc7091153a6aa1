// Package ledger describes what hooks and tests did: runs with their logs,
// exit codes, events and times, as a person needs them afterwards. It names
// the data and how it is bounded; it reaches no cluster.
package ledger

import (
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// Run is one attempt of one hook or test.
type Run struct {
	Release   string
	Namespace string
	Revision  int
	Event     release.Event
	Hook      string
	Weight    int
	Suite     string
	// Attempt counts from 1.
	Attempt int
	Object  object.Ref
	// UID is that of the object which this run created; results of any other
	// object of the same name do not count.
	UID     string
	Started time.Time
	Ended   time.Time
	Phase   release.Phase
	// Reason is a machine's word such as BackoffLimitExceeded, Message a
	// sentence for people. Both are empty for a run that succeeded.
	Reason  string
	Message string
	Pods    []Pod
	Events  []ObjectEvent
}

// Duration is how long the run took; 0 while it has not ended.
func (r Run) Duration() time.Duration {
	if r.Ended.IsZero() {
		return 0
	}
	return r.Ended.Sub(r.Started)
}

// Pod is one pod that the run's object brought about (or is).
type Pod struct {
	Name       string
	Namespace  string
	UID        string
	Node       string
	Phase      string
	Reason     string
	Message    string
	Containers []Container
}

// Container is how one container of a pod ended, and what it said.
type Container struct {
	Name     string
	Init     bool
	Image    string
	ImageID  string
	Restarts int
	// ExitCode is -1 while the container has not ended.
	ExitCode int
	Signal   int
	Reason   string
	Message  string
	Log      Log
}

// ObjectEvent is a Kubernetes event about one of the run's objects.
type ObjectEvent struct {
	Time    time.Time
	Object  object.Ref
	Type    string
	Reason  string
	Message string
	Count   int
}

// Line is one line of a container's log, without its newline.
type Line struct {
	Time time.Time
	Text string
}
