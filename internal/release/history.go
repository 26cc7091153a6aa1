package release

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pintle-dev/pintle/internal/pattern"
)

// SortHistory sorts revisions in ascending order, in place.
func SortHistory(history []*Release) {
	slices.SortFunc(history, func(a, b *Release) int { return cmp.Compare(a.Revision, b.Revision) })
}

// Last is the revision with the highest number, nil for an empty history.
func Last(history []*Release) *Release {
	return latest(history, func(*Release) bool { return true })
}

// LastDeployed is the highest revision whose status is deployed, nil where
// there is none. There should be one at most; a crash of Helm can leave more.
func LastDeployed(history []*Release) *Release {
	return latest(history, func(r *Release) bool { return r.Info.Status == Deployed })
}

// Doubt says why a revision should not count as good, or "" when nothing
// speaks against it. The ledger has such knowledge.
type Doubt func(*Release) string

// LastGood finds the revision to go back to: the highest one below before that
// is deployed or superseded and of which nothing tells that it failed or was never
// completed. A status alone does not tell: Helm makes a failed revision
// superseded once a later one has succeeded. Why is a sentence for people,
// which also names what was passed over; it is set when nothing is found, too.
func LastGood(history []*Release, before int, doubts ...Doubt) (found *Release, why string) {
	sorted := slices.Clone(history)
	SortHistory(sorted)
	var passed string
	for _, r := range slices.Backward(sorted) {
		if r.Revision >= before {
			continue
		}
		reason := notGood(r, doubts)
		if reason == "" {
			return r, fmt.Sprintf("revision %d is the last good one before %d%s", r.Revision, before, passed)
		}
		passed += fmt.Sprintf("; revision %d %s", r.Revision, reason)
	}
	return nil, fmt.Sprintf("there is no good revision before %d%s", before, passed)
}

// failedDescription is how Helm and Pintle begin the description of a revision that failed.
var failedDescription = pattern.Lazy(`^((Release|Install|Upgrade|Rollback|Uninstall|Uninstallation)( ".*?"| \S+)? )?[Ff]ailed\b`)

// unfinished are the descriptions that Helm writes before it begins.
var unfinished = []string{"Initial install underway", "Preparing upgrade"}

// notGood says what speaks against a revision, as the end of a sentence that
// begins with "revision N"; "" when nothing does.
func notGood(r *Release, doubts []Doubt) string {
	switch {
	case r.Info.Status != Deployed && r.Info.Status != Superseded:
		return "is " + string(r.Info.Status)
	case failedDescription().MatchString(r.Info.Description):
		return "had failed before it was superseded"
	case r.Info.Status == Superseded && slices.Contains(unfinished, r.Info.Description):
		return "was never completed"
	}
	for _, h := range r.Hooks {
		if h.LastRun.Phase == PhaseFailed && (!h.On(Test) || len(h.Events) > 1) {
			return fmt.Sprintf("had a failed hook, %s/%s", h.Kind, h.Name)
		}
	}
	for _, doubt := range doubts {
		if reason := doubt(r); reason != "" {
			return reason
		}
	}
	return ""
}

func latest(history []*Release, keep func(*Release) bool) *Release {
	var last *Release
	for _, r := range history {
		if keep(r) && (last == nil || r.Revision > last.Revision) {
			last = r
		}
	}
	return last
}
