package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const asProtobuf = "application/vnd.kubernetes.protobuf"

// protobufMark begins every answer in Kubernetes' form of protobuf.
var protobufMark = []byte("k8s\x00")

// listMetadata reads names, labels, annotations and the like of a collection.
func (c *Client) listMetadata(ctx context.Context, r request) ([]metav1.PartialObjectMetadata, error) {
	r.accept = asPackedMetadata
	r.query = maps.Clone(r.query)
	r.query.Set("limit", strconv.Itoa(10*pageSize)) // small beside objects; each page costs a round trip
	var all []metav1.PartialObjectMetadata
	err := c.pages(ctx, r, reader{
		reset: func() { all = nil },
		page: func(body []byte) (pageMeta, error) {
			page, err := readMetadata(body)
			if all == nil {
				all = page.Items
			} else {
				all = append(all, page.Items...)
			}
			return pageMeta{ResourceVersion: page.ResourceVersion, Continue: page.Continue}, err
		},
	})
	return all, err
}

// readMetadata reads a page in the form in which it came: a server, or somebody
// on the way, may know JSON alone.
func readMetadata(body []byte) (metav1.PartialObjectMetadataList, error) {
	var page metav1.PartialObjectMetadataList
	packed, ok := bytes.CutPrefix(body, protobufMark)
	if !ok {
		return page, json.Unmarshal(body, &page)
	}
	var envelope runtime.Unknown
	if err := envelope.Unmarshal(packed); err != nil {
		return page, err
	}
	if envelope.Kind != "PartialObjectMetadataList" {
		return page, errors.New("the answer is a " + envelope.Kind + " and not the metadata of a list")
	}
	return page, page.Unmarshal(envelope.Raw)
}
