package kube

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

const (
	asTable    = "application/json;as=Table;g=meta.k8s.io;v=v1," + asMetadata
	asMetadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
	// asPackedMetadata is read in a fraction of the time, and written in one.
	asPackedMetadata = asProtobuf + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1," + asMetadata
	// pageSize is how many objects one answer of a list holds at most, unless the
	// request says otherwise.
	pageSize = 500
	// restarts is how often a list whose continuation expired begins afresh.
	restarts = 3
)

// pageMeta is the metadata of a list that we read.
type pageMeta struct {
	ResourceVersion string `json:"resourceVersion"`
	Continue        string `json:"continue"`
}

// reader takes the pages of a list; reset drops what was taken so far.
type reader struct {
	page  func(body []byte) (pageMeta, error)
	reset func()
}

// pages reads a list page by page.
func (c *Client) pages(ctx context.Context, r request, to reader) error {
	for i := 1; ; i++ {
		to.reset()
		err := c.allPages(ctx, r, to)
		if err == nil || !apierrors.IsResourceExpired(err) || i == restarts {
			return err
		}
	}
}

func (c *Client) allPages(ctx context.Context, r request, to reader) error {
	r.query = maps.Clone(r.query)
	if !r.query.Has("limit") {
		r.query.Set("limit", strconv.Itoa(pageSize))
	}
	for {
		resp, err := c.do(ctx, r)
		if err != nil {
			return err
		}
		meta, err := to.page(resp.body)
		if err != nil {
			return c.refused(r.verb, r.ref, err)
		}
		if meta.Continue == "" {
			return nil
		}
		r.query.Set("continue", meta.Continue)
	}
}

// listing is a collection as one moment knew it.
type listing struct {
	// items carry apiVersion and kind each.
	items []map[string]any
	// version is where a watch goes on.
	version string
}

// list reads all items of a collection.
func (c *Client) list(ctx context.Context, r request) (listing, error) {
	var all listing
	err := c.pages(ctx, r, reader{
		reset: func() { all = listing{} },
		page: func(body []byte) (pageMeta, error) {
			var page map[string]any
			if err := utiljson.Unmarshal(body, &page); err != nil {
				return pageMeta{}, err
			}
			meta := metaOf(page)
			all.version = meta.ResourceVersion
			all.items = append(all.items, itemsOf(page)...)
			return meta, nil
		},
	})
	return all, err
}

// listNames reads the names in a collection and nothing else: as a table
// without the objects, and so in bigger pages.
func (c *Client) listNames(ctx context.Context, r request) (map[string]bool, error) {
	r.accept = asTable
	r.query = maps.Clone(r.query)
	r.query.Set("includeObject", "None")
	r.query.Set("limit", strconv.Itoa(10*pageSize))
	names := map[string]bool{}
	err := c.pages(ctx, r, reader{
		reset: func() { clear(names) },
		page: func(body []byte) (pageMeta, error) {
			var page nameTable
			err := json.Unmarshal(body, &page)
			page.each(func(name string) { names[name] = true })
			return page.Metadata, err
		},
	})
	return names, err
}

// nameTable is a meta.k8s.io Table, or the list that servers without tables give.
type nameTable struct {
	Metadata          pageMeta                                   `json:"metadata"`
	ColumnDefinitions []struct{ Format string }                  `json:"columnDefinitions"`
	Rows              []struct{ Cells []any }                    `json:"rows"`
	Items             []struct{ Metadata struct{ Name string } } `json:"items"`
}

func (t nameTable) each(do func(name string)) {
	for _, item := range t.Items {
		do(item.Metadata.Name)
	}
	for i, column := range t.ColumnDefinitions {
		if column.Format != "name" {
			continue
		}
		for _, row := range t.Rows {
			if name, ok := row.Cells[i].(string); ok {
				do(name)
			}
		}
		return
	}
}

func metaOf(page map[string]any) pageMeta {
	meta, _ := page["metadata"].(map[string]any)
	version, _ := meta["resourceVersion"].(string)
	more, _ := meta["continue"].(string)
	return pageMeta{ResourceVersion: version, Continue: more}
}

// itemsOf fills in the apiVersion and kind that items of built-in lists lack.
func itemsOf(page map[string]any) []map[string]any {
	apiVersion, _ := page["apiVersion"].(string)
	kind, _ := page["kind"].(string)
	raw, _ := page["items"].([]any)
	out := make([]map[string]any, 0, len(raw))
	for _, entry := range raw {
		item, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		if item["kind"] == nil && len(kind) > len("List") {
			item["apiVersion"], item["kind"] = apiVersion, kind[:len(kind)-len("List")]
		}
		out = append(out, item)
	}
	return out
}
