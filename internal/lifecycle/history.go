package lifecycle

import (
	"context"
	"fmt"

	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"golang.org/x/sync/errgroup"
)

// history is a release's past: the index of all its revisions, and the
// records that an operation needs, read on demand.
type history struct {
	name    string
	entries []release.Entry
	records Records
	read    map[int]*release.Release
	// suspects are revisions whose hooks may still run although their run is
	// gone; killed are those that were marked as failed for that.
	suspects, killed []int
	// resumed is the revision that is gone on with; 0 when a new one is begun.
	resumed int
}

func (s *Service) history(ctx context.Context, name string) (*history, error) {
	entries, err := s.Records.Index(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s: %w", name, err)
	}
	s.claim.forget(entries)
	return &history{name: name, entries: entries, records: s.Records, read: map[int]*release.Release{}}, nil
}

// last is the latest revision, nil for a release without a history.
func (h *history) last() *release.Entry {
	if len(h.entries) == 0 {
		return nil
	}
	return &h.entries[len(h.entries)-1]
}

// deployed is the latest revision with that status, nil where there is none.
func (h *history) deployed() *release.Entry {
	for i := len(h.entries) - 1; i >= 0; i-- {
		if h.entries[i].Status == release.Deployed {
			return &h.entries[i]
		}
	}
	return nil
}

func (h *history) next() int {
	if h.resumed > 0 {
		return h.resumed
	}
	if last := h.last(); last != nil {
		return last.Revision + 1
	}
	return 1
}

func (h *history) get(ctx context.Context, revision int) (*release.Release, error) {
	if r, ok := h.read[revision]; ok {
		return r, nil
	}
	r, err := h.records.Get(ctx, h.name, revision)
	if err != nil {
		return nil, fmt.Errorf("reading revision %d of %s: %w", revision, h.name, err)
	}
	h.read[revision] = r
	return r, nil
}

// fetchers is how many records are read at once.
const fetchers = 4

// fetch reads all revisions, several at once, for whoever is going to get them.
// What cannot be read is met again by get.
func (h *history) fetch(ctx context.Context) {
	found := make([]*release.Release, len(h.entries))
	var group errgroup.Group
	group.SetLimit(fetchers)
	for i, e := range h.entries {
		if h.read[e.Revision] != nil {
			continue
		}
		group.Go(func() (err error) {
			found[i], err = h.records.Get(ctx, h.name, e.Revision)
			return err
		})
	}
	_ = group.Wait() // get tells
	for i, r := range found {
		if r != nil {
			h.read[h.entries[i].Revision] = r
		}
	}
}

// current is the revision to go on from: the deployed one, else the last.
func (h *history) current(ctx context.Context) (*release.Release, error) {
	entry := h.deployed()
	if entry == nil {
		entry = h.last()
	}
	if entry == nil {
		return nil, nil
	}
	return h.get(ctx, entry.Revision)
}

// before is the revision that another one went on from: the deployed one below
// it, else the one right below; nil where there is none.
func (h *history) before(ctx context.Context, revision int) (*release.Release, error) {
	found := 0
	for _, e := range h.entries {
		if e.Revision >= revision {
			break
		}
		found = e.Revision
	}
	for _, e := range h.entries {
		if e.Revision < revision && e.Status == release.Deployed {
			found = e.Revision
		}
	}
	if found == 0 {
		return nil, nil
	}
	return h.get(ctx, found)
}

// inCluster are the revisions whose objects may be live: the current one and
// every one after it, which did not succeed but may have come far.
func (h *history) inCluster(ctx context.Context) ([]*release.Release, error) {
	from := h.deployed()
	if from == nil {
		from = h.last()
	}
	if from == nil {
		return nil, nil
	}
	var out []*release.Release
	for _, e := range h.entries {
		if e.Revision < from.Revision || e.Status == release.Uninstalled {
			continue
		}
		r, err := h.get(ctx, e.Revision)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// marked are the revisions that carry the status deployed, to be superseded.
func (h *history) marked(ctx context.Context) ([]*release.Release, error) {
	var out []*release.Release
	for _, e := range h.entries {
		if e.Status != release.Deployed || e.Revision == h.resumed {
			continue
		}
		r, err := h.get(ctx, e.Revision)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// beyond are the revisions that a limit leaves no room for once one more is
// written: the oldest, but never a deployed one. 0 means no limit.
func (h *history) beyond(limit int) []*release.Release {
	if limit <= 0 {
		return nil
	}
	excess := len(h.entries) + 1 - limit
	var out []*release.Release
	for _, e := range h.entries {
		if excess <= 0 {
			break
		}
		if e.Status == release.Deployed {
			continue
		}
		out = append(out, &release.Release{Name: e.Name, Namespace: e.Namespace, Revision: e.Revision})
		excess--
	}
	return out
}

// all are handles of every revision, enough to delete them.
func (h *history) all() []*release.Release {
	var out []*release.Release
	for _, e := range h.entries {
		out = append(out, &release.Release{Name: e.Name, Namespace: e.Namespace, Revision: e.Revision})
	}
	return out
}

// left fills in what earlier revisions left: objects in the cluster, hooks that
// may still run, and records to mark or to forget once one more is written.
func (s *Service) left(ctx context.Context, h *history, r *reader, in *plan.Inputs, limit int) error {
	past, err := h.inCluster(ctx)
	if err != nil {
		return err
	}
	s.tellMigration(past)
	var contents []content
	for _, rec := range past {
		c, err := r.recorded(rec.Clone())
		if err != nil {
			return err
		}
		in.Recorded = append(in.Recorded, c.wanted...)
		contents = append(contents, c)
	}
	in.Known = known(contents)
	if err := s.orphans(ctx, h, in); err != nil {
		return err
	}
	in.Forget = h.beyond(limit)
	in.Supersede, err = h.marked(ctx)
	return err
}
