package kube

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
)

// coreEvent is the part of a core/v1 Event that we read. Which of the times
// are filled in depends on the API that its author used.
type coreEvent struct {
	Metadata struct {
		CreationTimestamp time.Time
	}
	Type           string
	Reason         string
	Message        string
	Count          int
	FirstTimestamp *time.Time
	LastTimestamp  *time.Time
	EventTime      *time.Time
	Series         *struct {
		Count            int
		LastObservedTime *time.Time
	}
}

// Events are the Kubernetes events about the object with that UID, oldest
// first. Events about a cluster-scoped object are kept in "default".
func (c *Client) Events(ctx context.Context, about object.Ref, uid string) ([]ledger.ObjectEvent, error) {
	namespace := about.Namespace
	if namespace == "" {
		namespace = "default"
	}
	r := request{
		verb: "list", path: "/api/v1/namespaces/" + namespace + "/events",
		query: selection("", "involvedObject.uid="+uid),
		ref:   object.Ref{Version: "v1", Kind: "Event", Namespace: namespace},
	}
	var out []ledger.ObjectEvent
	err := c.pages(ctx, r, reader{
		reset: func() { out = nil },
		page: func(body []byte) (pageMeta, error) {
			var page struct {
				Metadata pageMeta
				Items    []coreEvent
			}
			err := json.Unmarshal(body, &page)
			for _, e := range page.Items {
				out = append(out, e.about(about))
			}
			return page.Metadata, err
		},
	})
	slices.SortStableFunc(out, func(a, b ledger.ObjectEvent) int { return a.Time.Compare(b.Time) })
	return out, err
}

func (e coreEvent) about(ref object.Ref) ledger.ObjectEvent {
	out := ledger.ObjectEvent{Object: ref, Type: e.Type, Reason: e.Reason, Message: e.Message, Count: max(1, e.Count)}
	times := []*time.Time{e.LastTimestamp, e.EventTime, e.FirstTimestamp, &e.Metadata.CreationTimestamp}
	if e.Series != nil {
		out.Count = max(out.Count, e.Series.Count)
		times = append([]*time.Time{e.Series.LastObservedTime}, times...)
	}
	for _, t := range times {
		if t != nil && !t.IsZero() {
			out.Time = *t
			break
		}
	}
	return out
}
