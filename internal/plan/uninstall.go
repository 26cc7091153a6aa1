package plan

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BuildUninstall plans the removal of a release: of Next, whose objects are
// Recorded, and of its history, which is Forget.
func BuildUninstall(in Inputs) *Plan {
	b := newBuilder(Uninstall, in)
	b.alone(Step{
		ID: "record/uninstalling", Block: BlockPrepare, Reason: "intent comes before the change",
		Action: WriteRecord{Release: in.Next, Status: release.Uninstalling, Description: "Deletion in progress (or silently failed)"},
	})
	b.orphans(!in.Options.NoHooks)
	b.hooks(release.PreDelete)
	how := in.Options.Propagation
	if how == "" {
		how = metav1.DeletePropagationBackground
	}
	custom, rest := splitCustom(in.Recorded)
	b.deletions(BlockCustom, "part of the release; its controller goes after it", custom, how, true)
	b.deletions(BlockDelete, "part of the release", rest, how, in.Options.Wait)
	b.leftovers()
	b.cleanRun(release.PreDelete)
	b.hooks(release.PostDelete)
	b.cleanRun(release.PostDelete)
	if in.Options.KeepHistory {
		text := in.Options.Description
		if text == "" {
			text = "Uninstallation complete"
		}
		b.alone(Step{
			ID: "record/uninstalled", Block: BlockRecord, Reason: "asked for with --keep-history",
			Action: WriteRecord{Release: in.Next, Status: release.Uninstalled, Description: text},
		})
		return b.plan
	}
	b.forget()
	return b.plan
}

// forget removes the history, and last of all the record that says that the
// release is being uninstalled: a run that dies before is gone on with.
func (b *builder) forget() {
	b.next()
	for _, last := range []bool{false, true} {
		for _, r := range b.in.Forget {
			if (r.Revision == b.in.Next.Revision) != last {
				continue
			}
			b.add(Step{
				ID: fmt.Sprintf("record/forget/%d", r.Revision), Block: BlockRecord, Reason: "the release is gone",
				Action: DeleteRecord{Release: r, KeepLedger: true},
			})
		}
		b.next()
	}
}

// splitCustom tells custom resources from the kinds of Kubernetes itself.
func splitCustom(objects []object.Parsed) (custom, rest []object.Parsed) {
	for _, o := range objects {
		if group := o.Ref().Group; strings.Contains(group, ".") && !strings.HasSuffix(group, ".k8s.io") {
			custom = append(custom, o)
			continue
		}
		rest = append(rest, o)
	}
	return custom, rest
}

// BuildTest plans a run of the tests of Next, and the record of their outcome.
func BuildTest(in Inputs) *Plan {
	b := newBuilder(Test, in)
	b.orphans(true)
	before := len(b.plan.Steps)
	b.tests()
	if len(b.plan.Steps) == before {
		return b.plan
	}
	b.alone(Step{
		ID: "record/tests", Block: string(release.Test), Always: true, Reason: "Helm's record tells when each test last ran",
		Action: WriteRecord{Release: in.Next, Status: in.Next.Info.Status, Description: in.Next.Info.Description},
	})
	return b.plan
}
