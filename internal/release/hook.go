package release

import (
	"encoding/json"
	"time"
)

// Event is a moment in the life of a release at which hooks run.
type Event string

// The events of Helm 4. "test-success", the old name of Test, is read as Test.
const (
	PreInstall   Event = "pre-install"
	PostInstall  Event = "post-install"
	PreUpgrade   Event = "pre-upgrade"
	PostUpgrade  Event = "post-upgrade"
	PreRollback  Event = "pre-rollback"
	PostRollback Event = "post-rollback"
	PreDelete    Event = "pre-delete"
	PostDelete   Event = "post-delete"
	Test         Event = "test"
)

// Events lists all events, in the order in which people think of them.
func Events() []Event {
	return []Event{PreInstall, PostInstall, PreUpgrade, PostUpgrade, PreRollback, PostRollback, PreDelete, PostDelete, Test}
}

// DeletePolicy says when a hook's object is deleted.
type DeletePolicy string

// The delete policies of Helm 4.
const (
	BeforeHookCreation DeletePolicy = "before-hook-creation"
	HookSucceeded      DeletePolicy = "hook-succeeded"
	HookFailed         DeletePolicy = "hook-failed"
)

// Annotations that make an object a hook and steer it. The pintle.dev ones
// are optional: a chart without them behaves as under Helm.
const (
	HookAnnotation         = "helm.sh/hook"
	WeightAnnotation       = "helm.sh/hook-weight"
	DeletePolicyAnnotation = "helm.sh/hook-delete-policy"
	LogPolicyAnnotation    = "helm.sh/hook-output-log-policy"

	TimeoutAnnotation      = "pintle.dev/timeout"
	RetriesAnnotation      = "pintle.dev/retries"
	ParallelAnnotation     = "pintle.dev/parallel"
	SuiteAnnotation        = "pintle.dev/suite"
	IrreversibleAnnotation = "pintle.dev/irreversible"
	AlwaysAnnotation       = "pintle.dev/always"
	AfterTestsAnnotation   = "pintle.dev/after-tests"
	WaitAnnotation         = "pintle.dev/wait"
	OnImmutableAnnotation  = "pintle.dev/on-immutable"
)

// Phase is how far a hook's last run came, in Helm's words.
type Phase string

// The phases that Helm writes. A hook that never ran has an empty phase.
const (
	PhaseUnknown   Phase = "Unknown"
	PhaseRunning   Phase = "Running"
	PhaseSucceeded Phase = "Succeeded"
	PhaseFailed    Phase = "Failed"
)

// Execution is the last run of a hook as Helm records it.
type Execution struct {
	StartedAt   time.Time
	CompletedAt time.Time
	Phase       Phase

	unknown map[string]json.RawMessage
}

// Hook is one hook of a release, as the record keeps it.
type Hook struct {
	Name string
	Kind string
	// Path is the template that rendered it, such as "chart/templates/job.yaml".
	Path     string
	Manifest string
	Events   []Event
	LastRun  Execution
	Weight   int
	// DeletePolicies are those that the record holds. Once a hook has run, Helm
	// records the default there as if the chart had written it: Policies tells
	// what is in force.
	DeletePolicies []DeletePolicy
	LogPolicies    []string

	unknown map[string]json.RawMessage
	// head is what the manifest says of itself; nil until it was parsed.
	head *hookHead
}

// On reports whether the hook runs at that event.
func (h *Hook) On(e Event) bool {
	for _, own := range h.Events {
		if own == e {
			return true
		}
	}
	return false
}
