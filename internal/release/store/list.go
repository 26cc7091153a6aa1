package store

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"

	"github.com/pintle-dev/pintle/internal/release"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ListOptions say which releases List gives.
type ListOptions struct {
	// AllNamespaces lists those of every namespace.
	AllNamespaces bool
	// Selector is a label selector over the labels of records.
	Selector string
	// Keep, if set, decides by the index entry of a release's latest revision
	// whether the release is given; what it leaves out is not downloaded.
	Keep func(release.Entry) bool
}

// maxGets is how many records are fetched at once, one by one.
const maxGets = 8

// helmsOwn selects all of Helm's records.
const helmsOwn = ownerLabel + "=" + ownerHelm

// Index lists a release's revisions. See Records.
func (s *Store) Index(ctx context.Context, name string) ([]release.Entry, error) {
	items, err := s.index(ctx, s.namespace, nameLabel+"="+name)
	if err != nil {
		return nil, err
	}
	entries := make([]release.Entry, len(items))
	for i, item := range items {
		entries[i] = item.Entry
	}
	return entries, nil
}

// History reads all revisions of a release. See Records.
func (s *Store) History(ctx context.Context, name string) ([]*release.Release, error) {
	objects, err := s.objects.List(ctx, s.medium.gvr, s.namespace, helmsOwn+","+nameLabel+"="+name)
	if err != nil {
		return nil, err
	}
	var records []*unstructured.Unstructured
	for i := range objects {
		if _, ok := entryOf(&objects[i]); ok {
			s.seen.put(&objects[i], s.medium)
			records = append(records, &objects[i])
		}
	}
	history, err := s.decodeAll(records)
	history = withoutNil(history)
	release.SortHistory(history)
	return history, err
}

// Outlines gives all revisions of a release as tables show them. See Records.
func (s *Store) Outlines(ctx context.Context, name string) ([]*release.Release, error) {
	selector := nameLabel + "=" + name
	items, err := s.index(ctx, s.namespace, selector)
	if err != nil {
		return nil, err
	}
	return s.outlines(ctx, items, scope{s.namespace, selector, len(items)})
}

// List gives the latest revision of each release. See Records.
func (s *Store) List(ctx context.Context, opts ListOptions) ([]*release.Release, error) {
	namespace := s.namespace
	if opts.AllNamespaces {
		namespace = ""
	}
	items, err := s.index(ctx, namespace, opts.Selector)
	if err != nil {
		return nil, err
	}
	var latest []indexed
	for i, item := range items {
		// The index is sorted: the last of each release is its latest.
		if i+1 < len(items) && items[i+1].Name == item.Name && items[i+1].Namespace == item.Namespace {
			continue
		}
		if opts.Keep == nil || opts.Keep(item.Entry) {
			latest = append(latest, item)
		}
	}
	return s.outlines(ctx, latest, scope{namespace, opts.Selector, len(items)})
}

// indexed is an index entry with its hint, which is read only for what is shown:
// most revisions of a release are not.
type indexed struct {
	release.Entry
	hint, stamp string
}

// outline is what the hint says; nil when it is missing or stale.
func (i indexed) outline() *release.Release {
	r, _ := release.Outline(i.Entry, i.hint, i.stamp)
	return r
}

// index lists records by namespace, name and revision.
func (s *Store) index(ctx context.Context, namespace, selector string) ([]indexed, error) {
	all := helmsOwn
	if selector != "" {
		all += "," + selector
	}
	metas, err := s.objects.ListMetadata(ctx, s.medium.gvr, namespace, all)
	if err != nil {
		return nil, err
	}
	var items []indexed
	for i := range metas {
		if item, ok := readIndex(&metas[i]); ok {
			items = append(items, item)
		}
	}
	slices.SortFunc(items, func(a, b indexed) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Revision, b.Revision))
	})
	return items, nil
}

func readIndex(obj metav1.Object) (indexed, bool) {
	e, ok := entryOf(obj)
	if !ok {
		return indexed{}, false
	}
	return indexed{Entry: e, hint: obj.GetAnnotations()[hintAnnotation], stamp: stampOf(obj.GetLabels())}, true
}

// scope is what an index covers, to list the same again with contents.
type scope struct {
	namespace, selector string
	records             int
}

// outlines completes what the hints did not say by decoding records, in the
// order of the items.
func (s *Store) outlines(ctx context.Context, items []indexed, all scope) ([]*release.Release, error) {
	out := make([]*release.Release, len(items))
	var unsaid []indexed
	for i, item := range items {
		if out[i] = item.outline(); out[i] == nil {
			unsaid = append(unsaid, item)
		}
	}
	objects, err := s.missing(ctx, unsaid, all)
	if err != nil {
		return nil, err
	}
	wanted := make([]*unstructured.Unstructured, len(items))
	for i, item := range items {
		if out[i] == nil {
			wanted[i] = objects[item.place()]
		}
	}
	decoded, err := s.decodeAll(wanted)
	for i := range out {
		if out[i] == nil {
			out[i] = decoded[i]
		}
	}
	return withoutNil(out), err
}

// missing fetches the records that have no current hint: one by one when they
// are few, else by listing everything with its contents.
func (s *Store) missing(ctx context.Context, wanted []indexed, all scope) (map[place]*unstructured.Unstructured, error) {
	if len(wanted) > maxGets && len(wanted)*2 > all.records {
		return s.fetchAll(ctx, all)
	}
	objects := make([]*unstructured.Unstructured, len(wanted))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxGets)
	for i, item := range wanted {
		g.Go(func() (err error) {
			objects[i], err = s.objects.Get(ctx, s.medium.gvr, item.Namespace, ObjectName(item.Name, item.Revision))
			if isNotFound(err) {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	found := make(map[place]*unstructured.Unstructured, len(wanted))
	for i, item := range wanted {
		found[item.place()] = objects[i]
	}
	return found, nil
}

// place is where a record is stored.
type place struct{ namespace, object string }

func (i indexed) place() place { return place{i.Namespace, ObjectName(i.Name, i.Revision)} }

func (s *Store) fetchAll(ctx context.Context, all scope) (map[place]*unstructured.Unstructured, error) {
	selector := helmsOwn
	if all.selector != "" {
		selector += "," + all.selector
	}
	objects, err := s.objects.List(ctx, s.medium.gvr, all.namespace, selector)
	if err != nil {
		return nil, err
	}
	found := make(map[place]*unstructured.Unstructured, len(objects))
	for i := range objects {
		found[place{objects[i].GetNamespace(), objects[i].GetName()}] = &objects[i]
	}
	return found, nil
}

// decodeAll decodes several records at once, each into its place; nil stays
// nil. Those that cannot be read are nil and joined into the error.
func (s *Store) decodeAll(objects []*unstructured.Unstructured) ([]*release.Release, error) {
	decoded := make([]*release.Release, len(objects))
	faults := make([]error, len(objects))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, obj := range objects {
		if obj == nil {
			continue
		}
		g.Go(func() error {
			decoded[i], faults[i] = s.decode(obj)
			return nil
		})
	}
	_ = g.Wait() // each reports in its own slot
	return decoded, errors.Join(faults...)
}

func withoutNil(records []*release.Release) []*release.Release {
	return slices.DeleteFunc(records, func(r *release.Release) bool { return r == nil })
}
