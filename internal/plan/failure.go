package plan

import (
	"fmt"
	"slices"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FailureInputs are what is known after a plan has failed.
type FailureInputs struct {
	Next *release.Release
	// Recorded tells that the revision is in the store; a run that failed
	// before has nothing to mark.
	Recorded bool
	// Description says why it failed.
	Description string
	// Created are objects to remove again, in the order of their creation.
	Created []object.Ref
	// Begun tells that an uninstall has deleted, or tried to delete, objects.
	Begun   bool
	Options Options
}

// Cleaning adds the created objects where the user asked for their removal.
func (in FailureInputs) Cleaning(asked bool, created []object.Ref) FailureInputs {
	if asked {
		in.Created = created
	}
	return in
}

// AfterFailure plans what follows a failed operation: created objects are
// removed if asked, and the record says what happened. An uninstall that
// failed in its hooks leaves the release deployed, since nothing of it was
// removed; one that failed later stays uninstalling, to be finished by the next.
func AfterFailure(op Operation, in FailureInputs) *Plan {
	b := newBuilder(op, Inputs{Next: in.Next, Options: in.Options})
	for _, ref := range slices.Backward(in.Created) {
		b.add(Step{
			ID: "cleanup/" + ref.String(), Block: BlockRecord, Always: true, Reason: "asked for with --cleanup-on-fail",
			Action: Delete{Ref: ref, Propagation: metav1.DeletePropagationBackground},
		})
	}
	b.next()
	if in.Recorded {
		b.add(Step{
			ID: fmt.Sprintf("record/failed/%d", in.Next.Revision), Block: BlockRecord, Always: true, Reason: "the outcome is recorded, whatever it is",
			Action: WriteRecord{Release: in.Next, Status: statusAfterFailure(op, in), Description: in.Description},
		})
	}
	return b.plan
}

func statusAfterFailure(op Operation, in FailureInputs) release.Status {
	switch {
	case op != Uninstall:
		return release.Failed
	case in.Begun:
		return release.Uninstalling
	default:
		return in.Next.Info.Status
	}
}
