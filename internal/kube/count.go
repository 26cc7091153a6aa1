package kube

import (
	"maps"
	"sync"
)

// counter counts requests as they are sent, repeated ones included.
type counter struct {
	mu    sync.Mutex
	verbs map[string]int
}

func (n *counter) add(verb string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.verbs == nil {
		n.verbs = map[string]int{}
	}
	n.verbs[verb]++
}

// Requests are the numbers of requests sent so far by Kubernetes' verb,
// repeated attempts included; discovery counts as "get".
func (c *Client) Requests() map[string]int {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	return maps.Clone(c.counts.verbs)
}
