package kube

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

const (
	asMetadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
	// pageSize is how many objects one answer of a list holds at most.
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
	r.query.Set("limit", strconv.Itoa(pageSize))
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

// listMetadata reads names, labels, annotations and the like of a collection.
func (c *Client) listMetadata(ctx context.Context, r request) ([]metav1.PartialObjectMetadata, error) {
	r.accept = asMetadata
	var all []metav1.PartialObjectMetadata
	err := c.pages(ctx, r, reader{
		reset: func() { all = nil },
		page: func(body []byte) (pageMeta, error) {
			var page struct {
				Metadata pageMeta                       `json:"metadata"`
				Items    []metav1.PartialObjectMetadata `json:"items"`
			}
			err := json.Unmarshal(body, &page)
			all = append(all, page.Items...)
			return page.Metadata, err
		},
	})
	return all, err
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
