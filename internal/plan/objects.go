package plan

import (
	"slices"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apply brings the wanted objects in, kind by kind in install order, those of
// one kind side by side. CRDs among them are awaited before what follows.
func (b *builder) apply() {
	var crds []object.Ref
	kind := ""
	b.next()
	for _, w := range b.in.Wanted {
		if afterTests(w) && b.in.Options.Tests.Run {
			continue
		}
		if w.Ref().Kind != kind {
			b.established(crds)
			crds = nil
			kind = w.Ref().Kind
			b.removals(kind)
		}
		step := b.applyStep(w)
		if w.Ref().IsCRD() && step.Action.(Apply).Change == Create {
			crds = append(crds, w.Ref())
		}
		b.add(step)
	}
	b.established(crds)
	b.next()
}

// removals deletes the live objects of a kind that must be made anew.
func (b *builder) removals(kind string) {
	b.next()
	for _, w := range b.in.Wanted {
		how, anew := b.in.Recreate[w.Ref().Key()]
		live := b.in.Live[w.Ref().Key()]
		if !anew || live == nil || w.Ref().Kind != kind {
			continue
		}
		propagation := metav1.DeletePropagationForeground
		if how == RecreateOrphan {
			propagation = metav1.DeletePropagationOrphan
		}
		b.add(Step{
			ID: "recreate/" + w.Ref().String(), Block: BlockApply, Reason: "to be created anew: a field that cannot be changed differs",
			Action: Delete{Ref: w.Ref(), UID: string(live.GetUID()), Propagation: propagation, Await: true, Timeout: b.in.Options.Timeout},
		})
	}
	b.next()
}

// applyAfterTests brings in what waits for the tests to pass.
func (b *builder) applyAfterTests() {
	if !b.in.Options.Tests.Run {
		return
	}
	b.next()
	for _, w := range b.in.Wanted {
		if afterTests(w) {
			step := b.applyStep(w)
			step.Reason = "its " + release.AfterTestsAnnotation + " annotation puts it after the tests"
			b.add(step)
		}
	}
	b.next()
}

func afterTests(w object.Parsed) bool {
	return object.Annotations(w.Object)[release.AfterTestsAnnotation] == "true"
}

func (b *builder) applyStep(w object.Parsed) Step {
	ref, opts := w.Ref(), b.in.Options
	live := b.in.Live[ref.Key()]
	if _, anew := b.in.Recreate[ref.Key()]; anew {
		live = nil
	}
	a := Apply{Object: w.Object, Live: live, Change: Update, Force: opts.ForceConflicts, Source: w.Source, Strict: opts.Strict}
	reason := "live, and may differ from the chart"
	switch {
	case live == nil && b.in.Live[ref.Key()] != nil:
		a.Change, reason = Create, "a field that cannot be changed differs"
	case live == nil:
		a.Change, reason = Create, "in the chart and not in the cluster"
	case b.foreign(w):
		a.Change, a.Force, reason = Adopt, true, "taken over with --take-ownership"
	case UpToDate(w.Object, live) && !b.hookChanges(w):
		a.Change, reason = Unchanged, "live as the chart wants it"
	}
	return Step{ID: "apply/" + ref.String(), Block: BlockApply, Reason: reason, Action: a}
}

// foreign tells that a live object is neither recorded nor marked as this release's.
func (b *builder) foreign(w object.Parsed) bool {
	live := b.in.Live[w.Ref().Key()]
	if live == nil || object.OwnedBy(live, b.in.Next.Name, b.in.Next.Namespace) {
		return false
	}
	for _, r := range b.in.Recorded {
		if r.Ref().Key() == w.Ref().Key() {
			return false
		}
	}
	return true
}

// prune deletes what is recorded and no longer wanted, in uninstall order.
func (b *builder) prune() {
	wanted := object.NewSet()
	for _, w := range b.in.Wanted {
		wanted.Add(w.Ref())
	}
	var gone []object.Parsed
	for _, r := range b.in.Recorded {
		if wanted.Add(r.Ref()) && !b.becameHook(r) {
			gone = append(gone, r)
		}
	}
	b.deletions(BlockPrune, "no longer in the chart", gone, metav1.DeletePropagationBackground, false)
}

// wait awaits what was applied, as Helm does only when asked.
func (b *builder) wait() {
	if !b.in.Options.Wait {
		return
	}
	var refs []object.Ref
	for _, w := range b.in.Wanted {
		if afterTests(w) && b.in.Options.Tests.Run || object.Annotations(w.Object)[release.WaitAnnotation] == "ignore" {
			continue
		}
		refs = append(refs, w.Ref())
	}
	if len(refs) == 0 {
		return
	}
	b.alone(Step{
		ID: "wait/ready", Block: BlockWait, Reason: "asked for with --wait",
		Action: Await{Goal: UntilReady, Objects: refs, Jobs: b.in.Options.WaitForJobs, Timeout: b.in.Options.Timeout},
	})
}

// crdsLast sorts definitions behind everything else: deleting one deletes all
// objects of its kind.
func crdsLast(o object.Parsed) int {
	if o.Ref().IsCRD() {
		return 1
	}
	return 0
}

// deletions removes objects in uninstall order, those of one kind side by
// side. What is not live, not ours, or to be kept gets no request, but a step
// that says so.
func (b *builder) deletions(block, reason string, objects []object.Parsed, how metav1.DeletionPropagation, await bool) {
	ordered := append([]object.Parsed{}, objects...)
	object.SortByKind(ordered, object.UninstallOrder, func(p object.Parsed) string { return p.Object.GetKind() })
	slices.SortStableFunc(ordered, func(a, b object.Parsed) int { return crdsLast(a) - crdsLast(b) })
	kind := ""
	b.next()
	for _, o := range ordered {
		ref := o.Ref()
		live := b.in.Live[ref.Key()]
		if live == nil {
			continue
		}
		if ref.Kind != kind {
			b.next()
			kind = ref.Kind
		}
		s := Step{ID: block + "/" + ref.String(), Block: block, Reason: reason, Always: block != BlockPrune}
		switch {
		case object.Keep(o.Object) || object.Keep(live):
			s.Action = Keep{Ref: ref, Why: object.ResourcePolicyAnnotation + ": " + object.KeepPolicy}
		case !object.OwnedBy(live, b.in.Next.Name, b.in.Next.Namespace):
			s.Action = Keep{Ref: ref, Why: object.NotOwned(live, b.in.Next.Name, b.in.Next.Namespace)}
		default:
			s.Action = Delete{Ref: ref, UID: string(live.GetUID()), Propagation: how, Await: await, Timeout: b.in.Options.Timeout}
		}
		b.add(s)
	}
	b.next()
}
