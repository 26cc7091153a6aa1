package store

import (
	"context"
	"errors"

	"github.com/pintle-dev/pintle/internal/release"
)

// Limit wraps a store so that a create first makes room: the oldest revisions
// go until there are at most limit with the new one, but never a deployed one. 0
// means no limit. Old records that cannot be removed do not stop the new one:
// they are told to the function.
func Limit(records Records, limit int, failed func(error)) Records {
	if limit <= 0 {
		return records
	}
	return &limited{Records: records, limit: limit, failed: failed}
}

type limited struct {
	Records
	limit  int
	failed func(error)
}

// Create makes room and stores the new revision.
func (l *limited) Create(ctx context.Context, r *release.Release) error {
	if err := l.prune(ctx, r.Name); err != nil {
		l.failed(err)
	}
	return l.Records.Create(ctx, r)
}

func (l *limited) prune(ctx context.Context, name string) error {
	entries, err := l.Index(ctx, name)
	if err != nil {
		return err
	}
	var faults []error
	for _, e := range beyond(entries, l.limit-1) {
		faults = append(faults, l.Delete(ctx, &release.Release{Name: e.Name, Namespace: e.Namespace, Revision: e.Revision}))
	}
	return errors.Join(faults...)
}

// beyond are the oldest entries that exceed the limit, without deployed ones.
func beyond(entries []release.Entry, limit int) []release.Entry {
	excess := len(entries) - limit
	var out []release.Entry
	for _, e := range entries {
		if len(out) >= excess {
			break
		}
		if e.Status != release.Deployed {
			out = append(out, e)
		}
	}
	return out
}
