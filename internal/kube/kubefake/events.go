package kubefake

import (
	"context"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
)

// event is a Kubernetes event about the object with that UID.
type event struct {
	uid  string
	seen ledger.ObjectEvent
}

// Note adds a Kubernetes event about an object that is there; kind is
// "Normal" or "Warning".
func (c *Cluster) Note(about object.Ref, kind, reason, message string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key, err := c.key(about); err == nil && c.objects[key] != nil {
		c.note(about, string(c.objects[key].GetUID()), kind, reason, message)
	}
}

func (c *Cluster) note(about object.Ref, uid, kind, reason, message string) {
	c.events = append(c.events, event{uid: uid, seen: ledger.ObjectEvent{
		Time: time.Now(), Object: about, Type: kind, Reason: reason, Message: message, Count: 1,
	}})
}

// Events are those about the object with that UID, oldest first.
func (c *Cluster) Events(_ context.Context, about object.Ref, uid string) ([]ledger.ObjectEvent, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.record("events", about); err != nil {
		return nil, &object.RequestError{Verb: "list", Ref: about, Err: err}
	}
	var out []ledger.ObjectEvent
	for _, e := range c.events {
		if e.uid == uid {
			out = append(out, e.seen)
		}
	}
	return out, nil
}
