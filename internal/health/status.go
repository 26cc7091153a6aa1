// Package health says of one object's content whether it is ready, on its
// way, or failed, and why. It is pure: an object goes in, a Status comes out,
// no clock is read and nothing is fetched.
package health

// State is the closed set of answers.
type State int

const (
	// InProgress: not there yet, and it may still come.
	InProgress State = iota
	// Ready: the object does what it is for. For a Job or Pod that is a hook: it succeeded.
	Ready
	// Failed: a controller has judged that it will not come, or nothing can heal it.
	Failed
)

// String is the word that people see.
func (s State) String() string {
	return [...]string{"in progress", "ready", "failed"}[s]
}

// Status is what is known of one object. Reason is a machine's word
// (CamelCase, as Kubernetes writes it), Message a sentence for people; both
// may be empty when the object is Ready.
type Status struct {
	State   State
	Reason  string
	Message string
	// Hopeless marks a Failed that cannot heal by itself, as against one that
	// patience might still cure (an image that cannot be pulled right now).
	Hopeless bool
}

// Cause is one node in the tree from an object to what made it fail: a Job
// holds its pods, a pod its containers. The leaves are root causes.
type Cause struct {
	// Subject names what this node speaks of: "Job/ns/name", "Pod/ns/name", "container migrate".
	Subject string
	Reason  string
	Message string
	// ExitCode is set for a container that ended.
	ExitCode *int
	// Lines are the last lines of the container's log.
	Lines []string
	// Advice is a next step for people, where there is one.
	Advice   string
	Children []Cause
}
