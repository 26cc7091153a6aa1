package plan

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// Blocks of a plan, beside those of hooks, which are named by their event.
const (
	BlockPrepare = "prepare"
	BlockCRDs    = "crds"
	BlockApply   = "apply"
	BlockPrune   = "prune"
	BlockWait    = "wait"
	BlockDelete  = "delete"
	// BlockCustom deletes custom resources, before the controllers that must
	// let go of them; while one is left, nothing else is deleted.
	BlockCustom = "delete custom"
	BlockRecord = "record"
)

// builder collects steps. Its methods each add one part of an operation, so
// that operations differ only in which parts they have.
type builder struct {
	in    Inputs
	plan  *Plan
	stage int
	// shared are the objects that hooks must leave where they are; nil until asked for.
	shared *object.Set
}

func newBuilder(op Operation, in Inputs) *builder {
	in.Hooks = overridden(in.Hooks, in.Options.Hooks)
	return &builder{in: in, plan: &Plan{
		Operation: op, Release: in.Next.Name, Namespace: in.Next.Namespace, Revision: in.Next.Revision,
	}}
}

// add appends a step to the present stage.
func (b *builder) add(s Step) {
	s.Stage = b.stage
	b.plan.Steps = append(b.plan.Steps, s)
}

// alone appends a step in a stage of its own.
func (b *builder) alone(s Step) {
	b.next()
	b.add(s)
	b.next()
}

// next begins a stage unless the present one is still empty.
func (b *builder) next() {
	if n := len(b.plan.Steps); n > 0 && b.plan.Steps[n-1].Stage == b.stage {
		b.stage++
	}
}

// Build plans an install, an upgrade or a rollback: three names for bringing
// the cluster from what is recorded to what is wanted.
func Build(op Operation, in Inputs) *Plan {
	words := deployments[op]
	b := newBuilder(op, in)
	b.namespace()
	b.begin(words)
	b.orphans(!in.Options.NoHooks || in.Options.Tests.Run)
	b.crds()
	b.hooks(words.before)
	b.apply()
	b.prune()
	b.wait()
	b.hooks(words.after)
	if in.Options.Tests.Run {
		b.tests()
	}
	b.applyAfterTests()
	b.finish(words)
	return b.plan
}

// deployment holds what differs between install, upgrade and rollback. The
// descriptions are Helm's, since people search for them.
type deployment struct {
	pending       release.Status
	before, after release.Event
	underway      string
	complete      string
}

var deployments = map[Operation]deployment{
	Install:  {release.PendingInstall, release.PreInstall, release.PostInstall, "Initial install underway", "Install complete"},
	Upgrade:  {release.PendingUpgrade, release.PreUpgrade, release.PostUpgrade, "Preparing upgrade", "Upgrade complete"},
	Rollback: {release.PendingRollback, release.PreRollback, release.PostRollback, "", ""},
}

func (b *builder) namespace() {
	if !b.in.Options.CreateNamespace {
		return
	}
	b.alone(Step{
		ID: "namespace/" + b.in.Next.Namespace, Block: BlockPrepare, Reason: "asked for with --create-namespace",
		Action: CreateNamespace{Name: b.in.Next.Namespace},
	})
}

// begin writes the intent before the cluster is touched.
func (b *builder) begin(words deployment) {
	text := words.underway
	if text == "" {
		text = fmt.Sprintf("Rollback to %d", b.in.Next.Info.RollbackRevision)
	}
	b.alone(Step{
		ID: "record/" + string(words.pending), Block: BlockPrepare, Reason: "intent comes before the change",
		Action: WriteRecord{Release: b.in.Next, Status: words.pending, Description: text, Create: true},
	})
}

// finish writes the outcome, then takes the mark off the revisions before and
// forgets the oldest: in that order, so that a run which dies between the two
// leaves a deployed one.
func (b *builder) finish(words deployment) {
	text := b.in.Options.Description
	if text == "" {
		text = words.complete
	}
	if text == "" {
		text = fmt.Sprintf("Rollback to %d", b.in.Next.Info.RollbackRevision)
	}
	b.alone(Step{
		ID: "record/deployed", Block: BlockRecord, Reason: "every step before it succeeded",
		Action: WriteRecord{Release: b.in.Next, Status: release.Deployed, Description: text},
	})
	for _, old := range b.in.Supersede {
		b.add(Step{
			ID: fmt.Sprintf("record/superseded/%d", old.Revision), Block: BlockRecord, Reason: fmt.Sprintf("revision %d takes its place", b.in.Next.Revision),
			Action: WriteRecord{Release: old, Status: release.Superseded, Description: old.Info.Description},
		})
	}
	for _, old := range b.in.Forget {
		b.add(Step{
			ID: fmt.Sprintf("record/forget/%d", old.Revision), Block: BlockRecord, Reason: "beyond the history limit",
			Action: DeleteRecord{Release: old},
		})
	}
}

// crds applies what the crds/ folder holds and is not there yet, or, if asked,
// differs from what is, and awaits it, so that everything after may use the
// kinds.
func (b *builder) crds() {
	if b.in.Options.CRDs == SkipCRDs {
		return
	}
	var fresh []object.Ref
	b.next()
	for _, crd := range b.in.CRDs {
		ref := crd.Ref()
		a := Apply{Object: crd.Object, Change: Create, Source: crd.Source, Strict: b.in.Options.Strict}
		reason := "in crds/ and not in the cluster"
		if a.Live = b.in.Live[ref.Key()]; a.Live != nil {
			if b.in.Options.CRDs != UpdateCRDs || Holds(a.Live, crd.Object) {
				continue
			}
			// Whoever applied the CRD before, the user asked for the chart's form.
			a.Change, a.Force, reason = Update, true, "differs from the cluster's; asked for with --crds=update"
		}
		fresh = append(fresh, ref)
		b.add(Step{ID: "crds/" + ref.Short(), Block: BlockCRDs, Reason: reason, Action: a})
	}
	b.established(fresh)
}

func (b *builder) established(refs []object.Ref) {
	if len(refs) == 0 {
		return
	}
	b.alone(Step{
		ID: "established/" + refs[0].Name, Block: BlockCRDs, Reason: "kinds must be served before they are used",
		Action: Await{Goal: UntilEstablished, Objects: refs, Timeout: b.in.Options.Timeout},
	})
}
