package kube

import (
	"context"

	"github.com/pintle-dev/pintle/internal/object"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// managedByHelm selects what releases have applied, so that foreign objects,
	// release records among them, are not downloaded.
	managedByHelm = "app.kubernetes.io/managed-by=Helm"
	// singles is how many objects of one kind and namespace are cheaper to get
	// one by one than by a list.
	singles = 3
)

// Snapshot reads the live state of the given objects; those that are not
// there, or whose kind is not served, are missing from the result. Objects of
// one kind and namespace are read by one list where that is allowed and pays,
// so the number of requests depends on the number of kinds, not of objects.
// The result's keys are those of the references as given.
func (c *Client) Snapshot(ctx context.Context, refs []object.Ref) (map[object.Key]*unstructured.Unstructured, error) {
	catalog := c.known()
	if catalog == nil {
		if err := c.refresh(ctx, c.generation()); err != nil {
			return nil, err
		}
		catalog = c.known()
	}
	sets := c.byPlace(catalog, refs)
	slots := make(chan struct{}, parallel)
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range sets {
		s.client, s.slots = c, slots
		group.Go(func() error { return s.read(ctx) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	live := make(map[object.Key]*unstructured.Unstructured, len(refs))
	for _, s := range sets {
		for i, obj := range s.found {
			if obj != nil {
				live[s.refs[i].Key()] = obj
			}
		}
	}
	return live, nil
}

// placeSet are the wanted objects of one kind and namespace.
type placeSet struct {
	client *Client
	// slots bound how many requests of the whole snapshot run side by side.
	slots chan struct{}
	place place
	refs  []object.Ref
	// found has an entry for each of refs, nil for what is not there.
	found []*unstructured.Unstructured
}

func (c *Client) byPlace(catalog *object.Catalog, refs []object.Ref) []*placeSet {
	type id struct{ group, version, name, namespace string }
	index := map[id]*placeSet{}
	seen := make(map[object.Key]bool, len(refs))
	var sets []*placeSet
	for _, ref := range refs {
		r, ok := lookUp(catalog, ref.GVK(), false)
		if !ok || seen[ref.Key()] {
			continue
		}
		seen[ref.Key()] = true
		p := place{resource: r}
		if r.Namespaced {
			p.namespace = c.in(ref.Namespace)
		}
		k := id{r.GVK.Group, r.GVK.Version, r.Name, p.namespace}
		if index[k] == nil {
			index[k] = &placeSet{place: p}
			sets = append(sets, index[k])
		}
		index[k].refs = append(index[k].refs, ref)
	}
	return sets
}

// read fills found: by a list of what releases have applied; then, for the
// rest, by a list of bare names that tells which of them exist at all (most
// often none: a first install); then one by one.
func (s *placeSet) read(ctx context.Context) error {
	s.found = make([]*unstructured.Unstructured, len(s.refs))
	missing := s.all()
	if len(missing) > singles {
		var err error
		if missing, err = s.readList(ctx); err != nil {
			return err
		}
	}
	if len(missing) > singles {
		var err error
		if missing, err = s.existing(ctx, missing); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, i := range missing {
		group.Go(func() error { return s.readOne(ctx, i) })
	}
	return group.Wait()
}

func (s *placeSet) all() []int {
	out := make([]int, len(s.refs))
	for i := range out {
		out[i] = i
	}
	return out
}

// readList gives back the indexes that are still to be read.
func (s *placeSet) readList(ctx context.Context) ([]int, error) {
	defer s.slot()()
	got, err := s.client.list(ctx, s.request("list", "", managedByHelm))
	if notListable(err) {
		return s.all(), nil
	}
	if err != nil {
		return nil, err
	}
	byName := make(map[string]map[string]any, len(got.items))
	for _, item := range got.items {
		byName[(&unstructured.Unstructured{Object: item}).GetName()] = item
	}
	var missing []int
	for i, ref := range s.refs {
		if item, ok := byName[ref.Name]; ok {
			s.found[i] = &unstructured.Unstructured{Object: item}
		} else {
			missing = append(missing, i)
		}
	}
	return missing, nil
}

// existing keeps those of the missing that are there without the label.
func (s *placeSet) existing(ctx context.Context, missing []int) ([]int, error) {
	defer s.slot()()
	names, err := s.client.listNames(ctx, s.request("list", "", ""))
	if notListable(err) {
		return missing, nil
	}
	if err != nil {
		return nil, err
	}
	var out []int
	for _, i := range missing {
		if names[s.refs[i].Name] {
			out = append(out, i)
		}
	}
	return out, nil
}

func (s *placeSet) readOne(ctx context.Context, i int) error {
	defer s.slot()()
	obj, err := s.client.one(ctx, s.request("get", s.refs[i].Name, ""))
	if apierrors.IsNotFound(err) {
		return nil
	}
	s.found[i] = obj
	return err
}

func (s *placeSet) request(verb, name, selector string) request {
	ref := object.Ref{
		Group: s.place.resource.GVK.Group, Version: s.place.resource.GVK.Version, Kind: s.place.resource.GVK.Kind,
		Namespace: s.place.namespace, Name: name,
	}
	return request{verb: verb, path: s.place.path(name), query: selection(selector, ""), ref: ref}
}

// slot takes a slot and gives the function that returns it.
func (s *placeSet) slot() func() {
	s.slots <- struct{}{}
	return func() { <-s.slots }
}

// notListable: we may not list, or the kind cannot be listed; both leave gets.
func notListable(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err)
}
