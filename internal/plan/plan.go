// Package plan decides, from what is wanted, what was recorded and what is
// live, every step of an operation and its order. A Plan is plain data: it can
// be printed, compared and tested without a cluster. The builders are pure
// functions; nothing in this package does I/O or reads a clock.
package plan

import (
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Operation is what the user asked for.
type Operation string

// The operations of a release's life.
const (
	Install   Operation = "install"
	Upgrade   Operation = "upgrade"
	Rollback  Operation = "rollback"
	Uninstall Operation = "uninstall"
	Test      Operation = "test"
)

// Plan is everything that one operation will do, in order.
type Plan struct {
	Operation Operation
	Release   string
	Namespace string
	// Revision is the one that the operation writes, or, for uninstall and
	// test, the one that it works on.
	Revision int
	// Steps are sorted by Stage. Steps of one stage may run side by side;
	// a stage starts when the one before it has ended.
	Steps []Step
}

// Step is one unit of work.
type Step struct {
	// ID is unique in the plan and the same whenever the plan is built from
	// the same inputs, such as "pre-install/Job/migrate" or "apply/Deployment/web".
	ID    string
	Stage int
	// Block groups steps that stand or fall together, such as all hooks of one
	// event. When a step fails, the steps of its own block that say Always
	// still run; every other later step is skipped.
	Block  string
	Always bool
	// Reason says in a few words why the step is in the plan.
	Reason string
	Action Action
}

// Action is what a step does: one of the types of this package that have an
// action method, and no other.
type Action interface{ action() }

// WriteRecord stores a revision with a status. The engine adds what it knows
// of hooks that have run; times of the record are the planner's.
type WriteRecord struct {
	Release     *release.Release
	Status      release.Status
	Description string
	// Create demands that the revision does not exist yet.
	Create bool
}

// DeleteRecord removes one revision from the history.
type DeleteRecord struct {
	Release *release.Release
	// KeepLedger keeps for a while what the revision's hooks and tests did.
	KeepLedger bool
}

// CreateNamespace makes the namespace unless it exists.
type CreateNamespace struct {
	Name string
}

// Change is what an Apply is expected to do to the live object.
type Change string

// The changes that a plan tells apart.
const (
	// Create: no such object is live.
	Create Change = "create"
	// Update: it is live and differs, or may differ, from what is wanted.
	Update Change = "update"
	// Unchanged: it is live and everything we own in it is as wanted. The
	// engine makes no request for it.
	Unchanged Change = "unchanged"
	// Adopt: it is live and not yet this release's; the user said to take it.
	Adopt Change = "adopt"
)

// Apply sends an object by server-side apply.
type Apply struct {
	Object *unstructured.Unstructured
	Change Change
	// Force takes fields over that another manager owns.
	Force bool
	// Source is the template that rendered the object.
	Source string
	// Live is the object as gathered, nil when there was none. The engine uses
	// it to migrate field managers of client-side applies.
	Live *unstructured.Unstructured
	// Strict asks the API server to refuse unknown and duplicate fields.
	Strict bool
}

// Delete removes an object; one that is already gone counts as done.
type Delete struct {
	Ref object.Ref
	// UID is that of the object as gathered: another object of the same name
	// that has appeared since is left alone.
	UID         string
	Propagation metav1.DeletionPropagation
	// Await says to wait until the object is gone, for at most Timeout.
	Await   bool
	Timeout time.Duration
}

// Keep leaves an object that would have been deleted where it is, and says why.
type Keep struct {
	Ref object.Ref
	Why string
}

// Goal is what an Await waits for.
type Goal string

// The goals of an Await.
const (
	UntilReady       Goal = "ready"
	UntilEstablished Goal = "established"
	// UntilEnded: Jobs and Pods are not at work any more, however they ended.
	UntilEnded Goal = "ended"
)

// Await waits until all objects have reached the goal, or one cannot.
type Await struct {
	Goal    Goal
	Objects []object.Ref
	// Jobs says that a Job is ready only when it is complete; otherwise a Job
	// counts as ready as soon as it exists.
	Jobs    bool
	Timeout time.Duration
	// Stop, with UntilEnded, stops them instead of letting them come to their end.
	Stop bool
	// Remains, with UntilEnded, are what is kept in the ledger: some of Objects,
	// and others whose end is not waited for.
	Remains []Remains
}

// Verb says in a few words what is done with the subjects.
func (a Await) Verb() string {
	if len(a.Objects) == 0 && len(a.Remains) > 0 {
		return "keep what was done"
	}
	return "wait until " + string(a.Goal)
}

// Subjects are all objects that the step looks at.
func (a Await) Subjects() []object.Ref {
	set := object.NewSet(a.Objects...)
	for _, r := range a.Remains {
		set.Add(object.RefOf(r.Object))
	}
	return set.Refs()
}

// Remains are the Job or Pod of a hook whose run was killed, and whose story the
// ledger does not tell.
type Remains struct {
	// Revision is the one that the run belonged to, Hook is the one in its record.
	Revision int
	Hook     *release.Hook
	// Object is as it was found, or as it must have been where it is gone; it says
	// itself which run has created it.
	Object *unstructured.Unstructured
	// Gone tells that the object is not there any more.
	Gone bool
	// Before is what the dead run has noted of it; nil for nothing.
	Before *HookBefore
}

// RunHook creates or applies a hook's object and, for a Job or a Pod, waits
// for its end.
type RunHook struct {
	Event release.Event
	Hook  *release.Hook
	// Object is the parsed manifest, with its namespace filled in. The engine
	// does not change it.
	Object *unstructured.Unstructured
	// Replace says to delete an object of that name first and await its end.
	Replace bool
	// Known are earlier forms of the object as this release recorded them: a
	// leftover that matches one may be replaced even without Replace.
	Known []*unstructured.Unstructured
	// InPlace says to apply instead of to create (never for Jobs and Pods).
	InPlace bool
	// Timeout bounds one attempt; 0 means no limit.
	Timeout time.Duration
	// Retries is how many further attempts follow a failed one.
	Retries int
	Suite   string
	// Limit is how many runs of this stage may be active at once; 0 means all.
	Limit int
	// Impatient gives up on what often heals (no node has room, a Secret is
	// missing) as soon as on what seldom does: a test is to say how things are.
	Impatient bool
	Strict    bool
	// Before is what an earlier run of the same revision did of the hook; nil
	// for nothing.
	Before *HookBefore
}

// SkipHook leaves a hook out because the operator said so, and says that it did.
type SkipHook struct {
	Event release.Event
	Hook  *release.Hook
	Ref   object.Ref
	Suite string
}

// CleanHook deletes a hook's object when its policies say so for how it
// ended. It does nothing for a hook that has not run.
type CleanHook struct {
	Event release.Event
	Hook  *release.Hook
	Ref   object.Ref
	// Policies are those in force, defaults included.
	Policies []release.DeletePolicy
	// Timeout bounds the wait for the end of the deleted object.
	Timeout time.Duration
}

func (WriteRecord) action()     {}
func (DeleteRecord) action()    {}
func (CreateNamespace) action() {}
func (Apply) action()           {}
func (Delete) action()          {}
func (Keep) action()            {}
func (Await) action()           {}
func (RunHook) action()         {}
func (SkipHook) action()        {}
func (CleanHook) action()       {}
