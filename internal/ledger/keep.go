package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Detach lets the ledger of a revision outlive its record, which is about to
// be removed by Pintle itself: it is then kept for the time that Bounds say,
// and removed by a later run. A ledger that was never written is no error.
func (b *Book) Detach(ctx context.Context, name string, revision int) error {
	found, err := b.index(ctx, name)
	if err != nil {
		return &WriteError{Release: name, Lasting: lasting(err), Err: err}
	}
	var faults []error
	for i := range found {
		of, _, ok := identity(&found[i])
		if _, already := detachedAt(&found[i]); ok && of == revision && !already {
			faults = append(faults, b.detach(ctx, found[i].Name))
		}
	}
	b.mu.Lock()
	delete(b.volumes, volumeKey{name, revision})
	b.mu.Unlock()
	if err := errors.Join(faults...); err != nil {
		return &WriteError{Release: name, Lasting: lasting(err), Err: err}
	}
	return nil
}

// index lists the parts of a release. It is kept, since an uninstall detaches
// all revisions at once, until this Book stores another part.
func (b *Book) index(ctx context.Context, name string) ([]metav1.PartialObjectMetadata, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.indexes[name]; ok {
		return known, nil
	}
	found, err := b.objects.ListMetadata(ctx, secrets, b.namespace, selector(name, 0))
	if err == nil {
		b.indexes[name] = found
	}
	return found, err
}

// detach takes the owner off one part.
func (b *Book) detach(ctx context.Context, object string) error {
	var err error
	for range maxAttempts {
		obj, getErr := b.objects.Get(ctx, secrets, b.namespace, object)
		if apierrors.IsNotFound(getErr) {
			return nil
		}
		if getErr != nil {
			return getErr
		}
		labels := obj.GetLabels()
		labels[detachedLabel] = strconv.FormatInt(b.now().Unix(), 10)
		obj.SetLabels(labels)
		obj.SetOwnerReferences(nil)
		if _, err = b.objects.Update(ctx, secrets, obj); !apierrors.IsConflict(err) {
			return err
		}
	}
	return err
}

// tidy removes what is kept no longer, once for each release that is written
// to, beside the first reading or writing; the channel is closed when it is done. It is
// housekeeping: what cannot be removed stays for the next run.
func (b *Book) tidy(ctx context.Context, name string, revision int) <-chan struct{} {
	done := make(chan struct{})
	if b.tidied[name] {
		close(done)
		return done
	}
	b.tidied[name] = true
	var group sync.WaitGroup
	group.Go(func() { b.dropExpired(ctx) })
	group.Go(func() { b.dropBeyond(ctx, name, revision) })
	go func() { group.Wait(); close(done) }()
	return done
}

// dropExpired removes ledgers without a record, of any release, that are too old.
func (b *Book) dropExpired(ctx context.Context) {
	found, err := b.objects.ListMetadata(ctx, secrets, b.namespace, selectAll+","+detachedLabel)
	if err != nil {
		return
	}
	for i := range found {
		if since, detached := detachedAt(&found[i]); detached && b.now().Sub(since) > b.bounds.Keep {
			_ = b.objects.Delete(ctx, secrets, b.namespace, found[i].Name)
		}
	}
}

// dropBeyond removes ledgers of old revisions of one release that are too many.
func (b *Book) dropBeyond(ctx context.Context, name string, revision int) {
	found, err := b.objects.ListMetadata(ctx, secrets, b.namespace, selector(name, 0)+",!"+detachedLabel)
	if err != nil {
		return
	}
	var parts []*metav1.PartialObjectMetadata
	for i := range found {
		if _, _, ok := identity(&found[i]); ok {
			parts = append(parts, &found[i])
		}
	}
	for _, obj := range b.beyond(parts, revision) {
		_ = b.objects.Delete(ctx, secrets, b.namespace, obj.Name)
	}
}

// beyond are the parts of old revisions that exceed what a release may have:
// too many parts, or, where no record owns them, too many revisions. The
// present revision is being written and stays.
func (b *Book) beyond(parts []*metav1.PartialObjectMetadata, present int) []*metav1.PartialObjectMetadata {
	revisionOf := func(obj *metav1.PartialObjectMetadata) int { n, _, _ := identity(obj); return n }
	parts = slices.DeleteFunc(parts, func(obj *metav1.PartialObjectMetadata) bool { return revisionOf(obj) == present })
	slices.SortStableFunc(parts, func(a, b *metav1.PartialObjectMetadata) int { return cmp.Compare(revisionOf(b), revisionOf(a)) })
	revisions := map[int]bool{present: true}
	for i, obj := range parts {
		revisions[revisionOf(obj)] = true
		if i+1 < b.bounds.Parts && (len(obj.OwnerReferences) > 0 || len(revisions) <= b.bounds.Unowned) {
			continue
		}
		from := i
		for from > 0 && revisionOf(parts[from-1]) == revisionOf(obj) {
			from--
		}
		return parts[from:]
	}
	return nil
}

// Knows tells whether a run of a release, or of an earlier one of that name,
// has created the object with that UID.
func (b *Book) Knows(ctx context.Context, name, uid string) (bool, error) {
	for _, detached := range []bool{false, true} {
		runs, err := b.Read(ctx, Wanted{Release: name, Detached: detached})
		if slices.ContainsFunc(runs, func(r Run) bool { return r.UID == uid }) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// Wanted says what to read.
type Wanted struct {
	Release string
	// Revision is 0 for all of them.
	Revision int
	// Detached reads what an earlier release of that name left: its last life
	// only. Else that is left out.
	Detached bool
}

// Read gives runs in the order of their operations and within these as they
// were written; nothing is no error. What it can read it gives even with an
// error about the rest.
func (b *Book) Read(ctx context.Context, w Wanted) ([]Run, error) {
	story, err := b.ReadStory(ctx, w)
	return story.Runs, err
}

// Story is all that the ledger knows: runs as Read gives them, and courses of
// operations by their start.
type Story struct {
	Runs    []Run
	Courses []Course
}

// ReadStory reads as Read does, with the courses of the operations.
func (b *Book) ReadStory(ctx context.Context, w Wanted) (Story, error) {
	objects, err := b.objects.List(ctx, secrets, b.namespace, selector(w.Release, w.Revision))
	if err != nil {
		return Story{}, err
	}
	var parts []storedPart
	for i := range objects {
		revision, number, ok := identity(&objects[i])
		since, detached := detachedAt(&objects[i])
		if !ok || detached != w.Detached {
			continue
		}
		data, err := unwrap(&objects[i])
		parts = append(parts, storedPart{revision: revision, number: number, since: since, data: data, err: err})
	}
	if w.Detached {
		parts = lastLife(parts)
	}
	slices.SortFunc(parts, func(a, b storedPart) int {
		return cmp.Or(cmp.Compare(a.revision, b.revision), cmp.Compare(a.number, b.number))
	})
	var story Story
	var faults []error
	for _, p := range parts {
		found, err := decode(p.data)
		story.Runs = append(story.Runs, found.Runs...)
		story.Courses = append(story.Courses, found.Courses...)
		faults = append(faults, p.err, err)
	}
	story.Runs, story.Courses = distinct(story.Runs), distinctCourses(story.Courses)
	return story, errors.Join(faults...)
}

// distinctCourses keeps the first of courses that were written twice.
func distinctCourses(courses []Course) []Course {
	seen := map[string]bool{}
	out := slices.DeleteFunc(courses, func(c Course) bool {
		again := seen[c.Operation.ID]
		seen[c.Operation.ID] = true
		return again
	})
	slices.SortStableFunc(out, func(a, b Course) int { return a.Operation.Started.Compare(b.Operation.Started) })
	return out
}

type storedPart struct {
	revision, number int
	since            time.Time
	data             []byte
	err              error
}

// sameEnd is how far apart the parts of one life may have been detached.
const sameEnd = 15 * time.Second

// lastLife leaves the parts that were detached last, together.
func lastLife(parts []storedPart) []storedPart {
	var last time.Time
	for _, p := range parts {
		if p.since.After(last) {
			last = p.since
		}
	}
	return slices.DeleteFunc(parts, func(p storedPart) bool { return last.Sub(p.since) > sameEnd })
}

// distinct keeps one of runs that were written twice, the first that has ended,
// and orders operations by their start.
func distinct(runs []Run) []Run {
	type identity struct {
		operation, event, object string
		attempt                  int
	}
	seen := map[identity]int{}
	var out []Run
	for _, r := range runs {
		id := identity{r.Operation.ID, string(r.Event), r.Object.String(), r.Attempt}
		at, again := seen[id]
		switch {
		case !again:
			seen[id] = len(out)
			out = append(out, r)
		case out[at].Phase == release.PhaseRunning && r.Phase != release.PhaseRunning:
			out[at] = r // it was left running, and seen to its end by a later run of Pintle
		}
	}
	slices.SortStableFunc(out, func(a, b Run) int { return a.Operation.Started.Compare(b.Operation.Started) })
	return out
}
