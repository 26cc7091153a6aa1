package kube

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/pintle-dev/pintle/internal/object"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// served is what the client knows of the kinds that the cluster serves.
type served struct {
	// turn lets one discovery run at a time.
	turn  chan struct{}
	cache *discoveryCache

	mu         sync.Mutex
	catalog    *object.Catalog
	generation int
	stale      []schema.GroupVersion
	// coming are kinds whose CustomResourceDefinition this client has applied.
	coming map[schema.GroupKind]bool
}

// Discover asks the cluster what it serves and which version it is: three
// requests side by side, fewer bytes where an earlier answer was kept. Groups
// whose backing server is down are left out (see Unavailable). Later calls of
// other methods use the newest catalog.
func (c *Client) Discover(ctx context.Context) (*object.Catalog, *version.Info, error) {
	var info *version.Info
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		info, err = c.Version(ctx)
		return err
	})
	group.Go(func() error { return c.refresh(ctx, c.generation()) })
	if err := group.Wait(); err != nil {
		var unreachable *UnreachableError
		if errors.As(err, &unreachable) {
			return nil, nil, unreachable // which of the requests met it says nothing
		}
		return nil, nil, err
	}
	return c.known(), info, nil
}

// Version asks which Kubernetes the API server is.
func (c *Client) Version(ctx context.Context) (*version.Info, error) {
	resp, err := c.do(ctx, request{verb: "get", path: "/version", ref: object.Ref{Kind: "version"}})
	if err != nil {
		return nil, err
	}
	info := &version.Info{}
	return info, json.Unmarshal(resp.body, info)
}

// Unavailable are the group versions that the last discovery found announced
// but not answered for, such as those of a metrics server that is down.
func (c *Client) Unavailable() []schema.GroupVersion {
	c.served.mu.Lock()
	defer c.served.mu.Unlock()
	return slices.Clone(c.served.stale)
}

// known is the newest catalog, nil before the first discovery.
func (c *Client) known() *object.Catalog {
	c.served.mu.Lock()
	defer c.served.mu.Unlock()
	return c.served.catalog
}

func (c *Client) generation() int {
	c.served.mu.Lock()
	defer c.served.mu.Unlock()
	return c.served.generation
}

// refresh discovers again unless someone else has done so since the
// generation that the caller has seen.
func (c *Client) refresh(ctx context.Context, seen int) error {
	select {
	case c.served.turn <- struct{}{}:
		defer func() { <-c.served.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if c.generation() != seen {
		return nil
	}
	found, err := c.discover(ctx)
	if err != nil {
		return err
	}
	c.served.mu.Lock()
	defer c.served.mu.Unlock()
	c.served.catalog, c.served.stale = object.NewCatalog(found.resources), found.stale
	c.served.generation++
	return nil
}

// findings are the outcome of one discovery.
type findings struct {
	resources []object.Resource
	stale     []schema.GroupVersion
}

func (f *findings) add(other findings) {
	f.resources = append(f.resources, other.resources...)
	f.stale = append(f.stale, other.stale...)
}

// discover reads the core group and all others side by side.
func (c *Client) discover(ctx context.Context) (findings, error) {
	var parts [2]findings
	group, ctx := errgroup.WithContext(ctx)
	for i, path := range []string{"/api", "/apis"} {
		group.Go(func() (err error) {
			parts[i], err = c.discoverPath(ctx, path)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return findings{}, err
	}
	all := parts[0]
	all.add(parts[1])
	return all, nil
}

// aggregated asks for everything in one document; an API server that does not
// know that form answers with a plain list of groups.
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

func (c *Client) discoverPath(ctx context.Context, path string) (findings, error) {
	kept := c.served.cache.load(path)
	r := request{verb: "get", path: path, accept: aggregated, etag: kept.etag, ref: object.Ref{Kind: "discovery", Name: path}}
	resp, err := c.do(ctx, r)
	if err != nil {
		return findings{}, err
	}
	if resp.status == http.StatusNotModified {
		if f, err := parseAggregated(kept.body); err == nil {
			return f, nil
		}
		r.etag = "" // what was kept is broken: ask for all of it
		if resp, err = c.do(ctx, r); err != nil {
			return findings{}, err
		}
	}
	if !strings.Contains(resp.header.Get("Content-Type"), "as=APIGroupDiscoveryList") {
		return c.discoverGroups(ctx, path, resp.body)
	}
	f, err := parseAggregated(resp.body)
	if err == nil {
		c.served.cache.store(path, resp.header.Get("Etag"), resp.body)
	}
	return f, err
}

// groupDocument is the part of apidiscovery.k8s.io/v2 that we read.
type groupDocument struct {
	Items []struct {
		Metadata struct{ Name string }
		Versions []struct {
			Version   string
			Freshness string
			Resources []struct {
				Resource     string
				Scope        string
				Verbs        []string
				ResponseKind *struct{ Kind string }
			}
		}
	}
}

func parseAggregated(body []byte) (findings, error) {
	var doc groupDocument
	if err := json.Unmarshal(body, &doc); err != nil {
		return findings{}, err
	}
	var f findings
	for _, g := range doc.Items {
		for _, v := range g.Versions {
			gv := schema.GroupVersion{Group: g.Metadata.Name, Version: v.Version}
			if v.Freshness == "Stale" {
				f.stale = append(f.stale, gv)
				continue
			}
			for _, r := range v.Resources {
				if r.ResponseKind == nil || r.ResponseKind.Kind == "" {
					continue
				}
				f.resources = append(f.resources, object.Resource{
					GVK: gv.WithKind(r.ResponseKind.Kind), Name: r.Resource, Namespaced: r.Scope == "Namespaced", Verbs: r.Verbs,
				})
			}
		}
	}
	return f, nil
}
