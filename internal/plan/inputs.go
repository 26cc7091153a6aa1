package plan

import (
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Inputs is everything that was gathered for one operation. The builders read
// it and change nothing in it.
type Inputs struct {
	// Next is the revision to write (install, upgrade, rollback) or to work on
	// (uninstall, test), complete but for its status and description.
	Next *release.Release
	// Wanted are Next's ordinary objects, in install order, with namespaces
	// filled in and ownership metadata set.
	Wanted []object.Parsed
	// Hooks are Next's hooks in the order of its record.
	Hooks []Hook
	// Recorded are the objects of the revisions whose objects may be live: the
	// deployed one and every failed one after it. What is recorded and no
	// longer wanted is pruned.
	Recorded []object.Parsed
	// Live is what the cluster holds of wanted and recorded objects and CRDs.
	Live map[object.Key]*unstructured.Unstructured
	// Leftover are live objects of hooks that have run: finished Jobs and Pods,
	// which an uninstall removes, and others, which it leaves and tells of.
	Leftover []Leftover
	// Known are the hook objects that recorded revisions of this release hold,
	// beside those of Next: leftovers like them may be replaced.
	Known map[object.Key][]*unstructured.Unstructured
	// Recreate are wanted objects that must be deleted and created anew, since
	// the API server refuses the change to the live one.
	Recreate map[object.Key]Recreation
	// CRDs are the objects of the chart's crds/ folder.
	CRDs []object.Parsed
	// Supersede are the revisions that stop being deployed when Next becomes it.
	Supersede []*release.Release
	// Orphans are Jobs and Pods of hooks that a run which is gone has left at work.
	Orphans []object.Ref
	// Remains are Jobs and Pods of hooks of such runs, at work or not, whose story
	// the ledger does not tell.
	Remains []Remains
	// Conceal are Secrets of the revisions of Remains: their values must not be shown.
	Conceal []*unstructured.Unstructured
	// Forget are the revisions that the history limit removes.
	Forget  []*release.Release
	Options Options
}

// Hook is a hook with its parsed object, whose namespace is filled in.
type Hook struct {
	*release.Hook
	Object *unstructured.Unstructured
	// Steering is what the chart asks for by annotations.
	Steering release.Options
	// Skip tells that the operator left the hook out.
	Skip bool
}

// Leftover is a live object that a hook left behind.
type Leftover struct {
	Object *unstructured.Unstructured
	// Finished tells a Job or Pod that has ended, or was stopped.
	Finished bool
	// Foreign tells an object that only bears a hook's name: it lacks what the
	// recorded hook says.
	Foreign bool
}

// Recreation is how an object is made anew.
type Recreation string

// The ways to make an object anew.
const (
	// Recreate deletes the object with what it owns.
	Recreate Recreation = "recreate"
	// RecreateOrphan deletes the object alone: the pods of a StatefulSet go on.
	RecreateOrphan Recreation = "recreate-orphan"
)

// Options are the user's wishes that shape a plan.
type Options struct {
	// Timeout is for each hook and each wait afresh, as in Helm; 0 means none.
	Timeout time.Duration
	// Wait awaits readiness after the apply, or the end of deleted objects;
	// WaitForJobs counts a Job as ready only when it is complete.
	Wait        bool
	WaitForJobs bool
	// Hooks are the operator's changes to single hooks and tests; of several
	// that match one hook the later wins, field by field.
	Hooks []HookOverride
	// NoHooks leaves all hooks out but tests.
	NoHooks         bool
	CreateNamespace bool
	// CRDs says what is done with the crds/ folder; empty means CreateCRDs.
	CRDs CRDPolicy
	// TakeOwnership adopts live objects of other owners, or of none.
	TakeOwnership bool
	// ForceConflicts takes over fields that another manager owns.
	ForceConflicts bool
	// Strict asks the API server to refuse unknown fields.
	Strict bool
	// Description, when set, replaces the standard one of the final record.
	Description string
	// PurgeHooks lets an uninstall remove all that hooks have left, and not
	// only finished Jobs and Pods; never PVCs, Namespaces and CRDs.
	PurgeHooks bool
	// KeepHistory leaves the records of an uninstalled release in place.
	KeepHistory bool
	// StopOrphans stops what hooks of dead runs have left running, instead of
	// waiting for its end.
	StopOrphans bool
	// Propagation of deletions by uninstall; empty means background.
	Propagation metav1.DeletionPropagation
	Tests       TestOptions
}

// HookOverride is what the operator wants of the hooks that match, whatever
// the chart says: the values of one --hook flag.
type HookOverride struct {
	// Name is a hook's name or a glob as path.Match reads it.
	Name string
	// Timeout and Retries are nil where the chart's stay in force.
	Timeout *time.Duration
	Retries *int
	// Skip leaves the hook out and says so.
	Skip bool
}

// CRDPolicy says what is done with the files of a chart's crds/ folder.
type CRDPolicy string

// The policies of --crds.
const (
	// CreateCRDs applies those that the cluster does not have.
	CreateCRDs CRDPolicy = "create"
	// UpdateCRDs also applies those that differ from the cluster's.
	UpdateCRDs CRDPolicy = "update"
	// SkipCRDs leaves them alone.
	SkipCRDs CRDPolicy = "skip"
)

// TestOptions say which tests run, and how.
type TestOptions struct {
	// Run adds the tests to an install, upgrade or rollback.
	Run bool
	// Timeout is for each test; 0 means that of Options.
	Timeout time.Duration
	// FailFast skips the remaining tests after the first failure.
	FailFast bool
	// Parallel is how many tests of one weight may run side by side; below 2
	// only those do that ask for it themselves.
	Parallel int
	Retries  int
	// Select chooses among the tests that run (Jobs and Pods); nil takes all.
	// What tests need, such as a ConfigMap, comes along with any of them.
	Select func(Hook) bool
	// Cleanup adds to the delete policies that the chart wrote.
	Cleanup TestCleanup
	// Require refuses a release that has no tests.
	Require bool
}

// TestCleanup says which tests' objects go when all tests have run.
type TestCleanup string

// The values of --cleanup; empty leaves it to the chart's delete policies.
const (
	CleanupPassed TestCleanup = "passed"
	CleanupAll    TestCleanup = "all"
)

// policies are the delete policies that the clean-up stands for.
func (c TestCleanup) policies() []release.DeletePolicy {
	switch c {
	case CleanupPassed:
		return []release.DeletePolicy{release.HookSucceeded}
	case CleanupAll:
		return []release.DeletePolicy{release.HookSucceeded, release.HookFailed}
	}
	return nil
}
