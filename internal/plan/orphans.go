package plan

import (
	"fmt"
	"slices"
	"strings"
)

// orphans awaits the end of what hooks of dead runs have left running, before
// anything else of ours runs: two migrations side by side are worse than a wait.
// Where no hook runs there is nothing that they could meet. What such hooks did
// is kept in the ledger in any case, before anything can replace or delete their objects.
func (b *builder) orphans(hooks bool) {
	awaited := b.in.Orphans
	if !hooks || len(b.in.Hooks) == 0 {
		awaited = nil
	}
	if len(awaited)+len(b.in.Remains) == 0 {
		return
	}
	var reasons []string
	if len(awaited) > 0 {
		reasons = append(reasons, "hooks of a run that is gone are still at work")
		if b.in.Options.StopOrphans {
			reasons = append(reasons, "stopped as asked for with --stop-orphans")
		}
	}
	if len(b.in.Remains) > 0 {
		reasons = append(reasons, gathering(b.in.Remains))
	}
	b.alone(Step{
		ID: "orphans", Block: BlockPrepare, Reason: strings.Join(reasons, "; "),
		Action: Await{
			Goal: UntilEnded, Objects: awaited, Stop: b.in.Options.StopOrphans, Timeout: b.in.Options.Timeout, Remains: b.in.Remains,
		},
	})
}

// Gathers tells the step that sees hooks of dead runs to their end and keeps what
// they did.
func (s Step) Gathers() bool {
	a, ok := s.Action.(Await)
	return ok && a.Goal == UntilEnded
}

// gathering says why the remains are looked at.
func gathering(remains []Remains) string {
	return "what hooks of " + revisionsOf(remains) + " did goes into the ledger: their run is gone"
}

// revisionsOf names the revisions, such as "revisions 4 and 5".
func revisionsOf(remains []Remains) string {
	var numbers []int
	for _, r := range remains {
		numbers = append(numbers, r.Revision)
	}
	slices.Sort(numbers)
	var words []string
	for _, n := range slices.Compact(numbers) {
		words = append(words, fmt.Sprint(n))
	}
	if len(words) == 1 {
		return "revision " + words[0]
	}
	return "revisions " + strings.Join(words, " and ")
}
