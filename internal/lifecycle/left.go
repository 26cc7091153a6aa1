package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// owe keeps the revision in the lock whose hooks the journal of a dead run tells
// of: where their objects are gone, only that journal knows them. It must be called
// before that revision is marked.
func (c *claim) owe() {
	held, j := c.lock(), c.journalOfTheDead()
	if held == nil || j == nil || j.Operation == nil || !slices.Contains(held.Unrecorded(), j.Revision) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = []int{j.Revision}
}

// owes tells that what hooks of the revision did may not be in the ledger yet.
func (c *claim) owes(revision int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.owed, revision)
}

// buried sorts the revisions that dead runs have left. What was marked says by
// itself that its run was killed; the others must stay until what their hooks did is kept.
func (c *claim) buried(dead []int, h *history) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resumed, c.unmarked = h.resumed, nil
	for _, e := range h.entries {
		if !e.Status.Final() {
			c.unmarked = append(c.unmarked, e.Revision)
		}
	}
	for _, n := range dead {
		if n != h.resumed && !slices.Contains(h.killed, n) && !slices.Contains(c.owed, n) {
			c.owed = append(c.owed, n)
		}
	}
}

// settleOwed notes that nothing is to be gathered any more of what dead runs have
// left. A revision that is gone on with stays until its record is final, too.
func (c *claim) settleOwed() {
	if held := c.lock(); held != nil {
		c.mu.Lock()
		owed := slices.DeleteFunc(c.owed, func(n int) bool {
			status, wrote := c.wrote[n]
			return n == c.resumed && !(wrote && status.Final())
		})
		c.owed = nil
		c.mu.Unlock()
		held.Settled(owed...)
	}
}

// journalOfTheDead is the journal of the run whose lock we have taken over; nil
// for none.
func (c *claim) journalOfTheDead() *journal {
	if held := c.lock(); held != nil && held.Previous() != nil {
		return readJournal(held.Previous().Journal)
	}
	return nil
}

// leaves are the revisions that the next run has to deal with, and why.
func (c *claim) leaves() (left []int, why string) {
	held := c.lock()
	left, why = held.Unrecorded(), "what hooks of an earlier run did is not in the ledger yet"
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(left, func(n int) bool { return slices.Contains(c.unmarked, n) || !slices.Contains(c.owed, n) }) {
		why = ended(held.Previous()) // we did not come to recording that
	}
	for revision, err := range c.open {
		left = append(left, revision)
		why = fmt.Sprintf("the outcome of revision %d is not recorded: %v", revision, err)
	}
	slices.Sort(left)
	return slices.Compact(left), why
}

// recordsOf are the objects that hold the records of the revisions, as far as
// they are known: without one of them the lock stays until the next run on the release.
func (c *claim) recordsOf(ctx context.Context, revisions []int) []metav1.OwnerReference {
	var out []metav1.OwnerReference
	for _, n := range revisions {
		owner, err := c.service.Records.Owner(ctx, c.name, n)
		switch {
		case errors.Is(err, release.ErrNotFound): // nothing is to be done about that one
		case err != nil || owner == nil || owner.Kind == "":
			return nil
		default:
			out = append(out, *owner)
		}
	}
	return out
}
