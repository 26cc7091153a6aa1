// Package ledger keeps what hooks and tests did: runs with their logs, exit
// codes, events and times, as a person needs them afterwards. It names the
// data, masks secrets in it, bounds it, and says how it is stored; it reaches
// a cluster only through the Objects that it is given.
package ledger

import (
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// Operation is the install, upgrade, rollback, uninstall or test that a run
// was part of.
type Operation struct {
	// ID tells operations apart; it is unique.
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Started time.Time `json:"started"`
	// By is who started it, as user@host; empty where that is not known.
	By string `json:"by,omitempty"`
}

// Run is one attempt of one hook or test.
type Run struct {
	// These four are the same for all runs of one operation, and stored once.
	Release   string    `json:"-"`
	Namespace string    `json:"-"`
	Revision  int       `json:"-"`
	Operation Operation `json:"-"`

	Event  release.Event `json:"event"`
	Hook   string        `json:"hook"`
	Weight int           `json:"weight"`
	Suite  string        `json:"suite,omitempty"`
	// Attempt counts from 1.
	Attempt int        `json:"attempt"`
	Object  object.Ref `json:"object"`
	// UID is that of the object which this run created; results of any other
	// object of the same name do not count.
	UID     string        `json:"uid,omitempty"`
	Started time.Time     `json:"started"`
	Ended   time.Time     `json:"ended,omitzero"`
	Phase   release.Phase `json:"phase"`
	// Reason is a machine's word such as BackoffLimitExceeded, Message a
	// sentence for people. Both are empty for a run that succeeded.
	Reason  string        `json:"reason,omitempty"`
	Message string        `json:"message,omitempty"`
	Pods    []Pod         `json:"pods,omitempty"`
	Events  []ObjectEvent `json:"events,omitempty"`
}

// IsTest tells runs of tests from those of other hooks.
func (r Run) IsTest() bool { return r.Event == release.Test }

// Duration is how long the run took; 0 while it has not ended.
func (r Run) Duration() time.Duration {
	if r.Ended.IsZero() {
		return 0
	}
	return r.Ended.Sub(r.Started)
}

// Pod is one pod that the run's object brought about (or is).
type Pod struct {
	Name       string      `json:"name"`
	Namespace  string      `json:"namespace"`
	UID        string      `json:"uid"`
	Node       string      `json:"node,omitempty"`
	Phase      string      `json:"phase,omitempty"`
	Reason     string      `json:"reason,omitempty"`
	Message    string      `json:"message,omitempty"`
	Containers []Container `json:"containers,omitempty"`
}

// Container is how one container of a pod ended, and what it said.
type Container struct {
	Name     string `json:"name"`
	Init     bool   `json:"init,omitempty"`
	Image    string `json:"image,omitempty"`
	ImageID  string `json:"imageID,omitempty"`
	Restarts int    `json:"restarts,omitempty"`
	// ExitCode is -1 while the container has not ended.
	ExitCode int       `json:"exitCode"`
	Signal   int       `json:"signal,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Message  string    `json:"message,omitempty"`
	Started  time.Time `json:"started,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Log      Log       `json:"log,omitzero"`
}

// ObjectEvent is a Kubernetes event about one of the run's objects.
type ObjectEvent struct {
	Time    time.Time  `json:"time"`
	Object  object.Ref `json:"object"`
	Type    string     `json:"type"`
	Reason  string     `json:"reason"`
	Message string     `json:"message"`
	Count   int        `json:"count,omitempty"`
}

// Line is one line of a container's log, without its newline.
type Line struct {
	Time time.Time
	Text string
}
