package store

import (
	"context"

	"github.com/pintle-dev/pintle/internal/release"
)

// Verb names a write.
type Verb string

// The writes that Observe tells of.
const (
	Created Verb = "created"
	Updated Verb = "updated"
	Deleted Verb = "deleted"
)

// Observe wraps a store so that the function is told of each write after it
// has ended, with its error. It runs on the writer's goroutine and must not
// change the record.
func Observe(records Records, tell func(Verb, *release.Release, error)) Records {
	return &observed{Records: records, tell: tell}
}

type observed struct {
	Records
	tell func(Verb, *release.Release, error)
}

// Create stores and tells.
func (o *observed) Create(ctx context.Context, r *release.Release) error {
	return o.told(Created, r, o.Records.Create(ctx, r))
}

// Update stores and tells.
func (o *observed) Update(ctx context.Context, r *release.Release) error {
	return o.told(Updated, r, o.Records.Update(ctx, r))
}

// Delete removes and tells.
func (o *observed) Delete(ctx context.Context, r *release.Release) error {
	return o.told(Deleted, r, o.Records.Delete(ctx, r))
}

func (o *observed) told(v Verb, r *release.Release, err error) error {
	o.tell(v, r, err)
	return err
}
