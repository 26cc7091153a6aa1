// Package health says of one object's content whether it is ready, on its
// way, or failed, and why. It is pure: an object goes in, a Status or a Cause
// comes out, no clock is read and nothing is fetched. Where time matters, it
// is an argument.
package health

// State is the closed set of answers.
type State int

const (
	// InProgress means not there yet, and it may still come.
	InProgress State = iota
	// Ready means that the object does what it is for. For a Job or Pod that is a hook: it succeeded.
	Ready
	// Failed means that a controller has judged that it will not come, or nothing can heal it.
	Failed
)

// String is the word that people see.
func (s State) String() string {
	return [...]string{"in progress", "ready", "failed"}[s]
}

// Patience says how long it is worth waiting for something that is not as it
// should be.
type Patience int

const (
	// UntilTimeout is for what often heals by itself or by the hand of another (an
	// autoscaler, an operator that brings a Secret, a freed quota). It is shown
	// as the cause while waiting and ends a wait only at its timeout.
	UntilTimeout Patience = iota
	// Limited is for what may heal (a database that starts later, a registry
	// that comes back), but seldom after a minute: image errors and crash loops.
	Limited
	// Never is for what nothing that happens by itself can heal, and for the
	// verdicts of controllers. It ends a wait at once.
	Never
)

// String is the word for diagnostics.
func (p Patience) String() string {
	return [...]string{"until timeout", "limited", "never"}[p]
}

// Status is what is known of one object. Reason is a machine's word
// (CamelCase, as Kubernetes writes it), Message a sentence for people; both
// may be empty when the object is Ready.
type Status struct {
	State   State
	Reason  string
	Message string
	// Patience says how long to wait for a status that is not Ready. A Failed
	// status always has Never.
	Patience Patience
}

// Hopeless tells that waiting any longer is of no use.
func (s Status) Hopeless() bool { return s.State != Ready && s.Patience == Never }

// Trouble tells that something is wrong, as against merely not done yet: a
// view shows it at once.
func (s Status) Trouble() bool {
	return s.State == Failed || s.State == InProgress && (s.Patience != UntilTimeout || patientTroubles[s.Reason])
}

// patientTroubles are the reasons that are waited for until the timeout and
// are troubles all the same.
var patientTroubles = map[string]bool{
	"CreateContainerConfigError": true,
	"ExceededQuota":              true,
	"FailedAttachVolume":         true,
	"FailedMount":                true,
	"MissingServiceAccount":      true,
	"SchedulingGated":            true,
	"Unschedulable":              true,
}

// ready, progress and failed build the three kinds of answer.
func ready(message string) Status { return Status{State: Ready, Message: message} }

func progress(reason, message string) Status {
	return Status{State: InProgress, Reason: reason, Message: message}
}

func failed(reason, message string) Status {
	return Status{State: Failed, Reason: reason, Message: message, Patience: Never}
}
