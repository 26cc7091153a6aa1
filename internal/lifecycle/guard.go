package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// guardedCluster lets a change through only while the release is ours.
type guardedCluster struct {
	Cluster
	claim *claim
}

func (g *guardedCluster) Apply(ctx context.Context, obj *unstructured.Unstructured, opts metav1.PatchOptions) (*unstructured.Unstructured, error) {
	if err := g.claim.check(ctx); err != nil {
		return nil, err
	}
	return g.Cluster.Apply(ctx, obj, opts)
}

func (g *guardedCluster) Create(ctx context.Context, obj *unstructured.Unstructured, opts metav1.CreateOptions) (*unstructured.Unstructured, error) {
	// The namespace of the lock itself comes before the lock.
	if !object.RefOf(obj).Is("", "Namespace") || g.claim.lock() != nil {
		if err := g.claim.check(ctx); err != nil {
			return nil, err
		}
	}
	return g.Cluster.Create(ctx, obj, opts)
}

func (g *guardedCluster) Delete(ctx context.Context, ref object.Ref, opts metav1.DeleteOptions) error {
	g.claim.settle()
	if err := g.claim.check(ctx); err != nil {
		return err
	}
	return g.Cluster.Delete(ctx, ref, opts)
}

func (g *guardedCluster) MigrateManagers(ctx context.Context, live *unstructured.Unstructured) error {
	if err := g.claim.check(ctx); err != nil {
		return err
	}
	return g.Cluster.MigrateManagers(ctx, live)
}

// guardedRecords lets a write through only while the release is ours, knows
// which records are not final, and does not give up easily on those that are
// to become so.
type guardedRecords struct {
	Records
	claim *claim
}

func (g *guardedRecords) Create(ctx context.Context, r *release.Release) error {
	if err := g.claim.check(ctx); err != nil {
		return err
	}
	err := g.Records.Create(ctx, r)
	if err != nil && (errors.Is(err, release.ErrExists) || ctx.Err() == nil && !g.stored(ctx, r)) {
		return err // nothing of ours is there
	}
	g.claim.wroteStatus(r.Revision, r.Info.Status, err)
	return err
}

// stored tells that the revision is recorded after all: the answer to its
// creation was lost.
func (g *guardedRecords) stored(ctx context.Context, r *release.Release) bool {
	_, err := g.Get(ctx, r.Name, r.Revision)
	return !errors.Is(err, release.ErrNotFound)
}

func (g *guardedRecords) Update(ctx context.Context, r *release.Release) error {
	err := g.update(ctx, r)
	var lost *lock.LostError
	if !errors.As(err, &lost) {
		g.claim.wroteStatus(r.Revision, r.Info.Status, err)
	}
	return err
}

// writePauses are those between attempts to write a final status: what keeps a
// record from being written (a quota, a webhook that is down) may pass.
var writePauses = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}

func (g *guardedRecords) update(ctx context.Context, r *release.Release) error {
	for attempt := 0; ; attempt++ {
		if err := g.claim.check(ctx); err != nil {
			return err
		}
		err := g.Records.Update(ctx, r)
		if err == nil || !r.Info.Status.Final() || attempt >= len(writePauses) {
			return err
		}
		switch {
		case errors.Is(err, release.ErrNotFound):
			return err
		case errors.Is(err, release.ErrConflict):
			if attempt > 0 || !g.stillOurs(ctx, r) {
				return err
			}
		default:
			if pause(ctx, writePauses[attempt]) != nil {
				return err
			}
		}
	}
}

// stillOurs reads a record that was changed under us. When it has the status
// that we gave it last, nobody else has decided about the revision, and the
// outcome may be written over it.
func (g *guardedRecords) stillOurs(ctx context.Context, r *release.Release) bool {
	now, err := g.Get(ctx, r.Name, r.Revision)
	g.claim.mu.Lock()
	defer g.claim.mu.Unlock()
	return err == nil && now.Info.Status == g.claim.wrote[r.Revision]
}

func (g *guardedRecords) Delete(ctx context.Context, r *release.Release) error {
	if err := g.claim.check(ctx); err != nil {
		return err
	}
	err := g.Records.Delete(ctx, r)
	if err == nil {
		g.claim.removed(r.Revision)
	}
	return err
}
