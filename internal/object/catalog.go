package object

import (
	"sort"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resource is one kind in one version as a cluster serves it.
type Resource struct {
	GVK schema.GroupVersionKind
	// Name is the plural that paths use, such as "deployments".
	Name       string
	Namespaced bool
	// Verbs are those that the kind supports, whoever asks.
	Verbs []string
}

// GVR is how requests address the resource.
func (r Resource) GVR() schema.GroupVersionResource {
	return r.GVK.GroupVersion().WithResource(r.Name)
}

// Catalog is what a cluster serves: the answer of one discovery. It is not
// changed after it was built.
type Catalog struct {
	byGVK map[schema.GroupVersionKind]Resource
	// preferred has the group's preferred version of each kind.
	preferred map[schema.GroupKind]Resource
	versions  []string
}

// NewCatalog indexes resources; of several versions of one kind the first in
// the list is the preferred one. Subresources must not be in the list.
func NewCatalog(resources []Resource) *Catalog {
	c := &Catalog{
		byGVK:     make(map[schema.GroupVersionKind]Resource, len(resources)),
		preferred: make(map[schema.GroupKind]Resource, len(resources)),
	}
	seen := map[string]bool{}
	for _, r := range resources {
		c.byGVK[r.GVK] = r
		if _, ok := c.preferred[r.GVK.GroupKind()]; !ok {
			c.preferred[r.GVK.GroupKind()] = r
		}
		gv := r.GVK.GroupVersion().String()
		seen[gv], seen[gv+"/"+r.GVK.Kind] = true, true
	}
	for v := range seen {
		c.versions = append(c.versions, v)
	}
	sort.Strings(c.versions)
	return c
}

// Find looks a kind up in exactly that version.
func (c *Catalog) Find(gvk schema.GroupVersionKind) (Resource, bool) {
	r, ok := c.byGVK[gvk]
	return r, ok
}

// FindKind looks a kind up in the version that the cluster prefers: what to
// use when a record names a version that is no longer served.
func (c *Catalog) FindKind(gk schema.GroupKind) (Resource, bool) {
	r, ok := c.preferred[gk]
	return r, ok
}

// Named are the kinds of that name in all groups, each in its preferred
// version, sorted by group.
func (c *Catalog) Named(kind string) []Resource {
	var found []Resource
	for gk, r := range c.preferred {
		if gk.Kind == kind {
			found = append(found, r)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].GVK.Group < found[j].GVK.Group })
	return found
}

// APIVersions are all served "group/version" and "group/version/Kind", sorted:
// what charts see as .Capabilities.APIVersions.
func (c *Catalog) APIVersions() []string { return c.versions }

// With returns a catalog that also holds the given resources, for kinds that
// the operation itself is going to bring.
func (c *Catalog) With(more ...Resource) *Catalog {
	all := make([]Resource, 0, len(c.byGVK)+len(more))
	for _, r := range c.preferred {
		all = append(all, r)
	}
	for gvk, r := range c.byGVK {
		if c.preferred[gvk.GroupKind()].GVK != gvk {
			all = append(all, r)
		}
	}
	return NewCatalog(append(all, more...))
}
