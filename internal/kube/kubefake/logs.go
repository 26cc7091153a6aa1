package kubefake

import (
	"context"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
)

// output is what the containers of one pod have written.
type output struct {
	mu      sync.Mutex
	lines   map[string][]ledger.Line
	ended   bool
	changed chan struct{}
}

func newOutput() *output {
	return &output{lines: map[string][]ledger.Line{}, changed: make(chan struct{})}
}

func (o *output) write(container, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines[container] = append(o.lines[container], ledger.Line{Time: time.Now(), Text: text})
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.ended = true
		close(o.changed)
	}
}

// from gives what was written since the first n lines, and what to wait for.
func (o *output) from(container string, n int) (lines []ledger.Line, ended bool, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lines[container][n:], o.ended, o.changed
}

// Say makes a container write a line now.
func (c *Cluster) Say(pod object.Ref, container, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if out := c.outputOf(pod); out != nil {
		out.write(container, text)
	}
}

// Follow behaves as the engine's LogStreamer demands; a pod that is not there
// ends it without an error.
func (c *Cluster) Follow(ctx context.Context, pod object.Ref, container string, line func(ledger.Line)) error {
	c.mu.Lock()
	err := c.record("log", pod)
	out := c.outputOf(pod)
	c.mu.Unlock()
	if err != nil {
		return &object.RequestError{Verb: "get", Ref: pod, Err: err}
	}
	if out == nil {
		return nil
	}
	for n := 0; ; {
		lines, ended, changed := out.from(container, n)
		for _, l := range lines {
			line(l)
		}
		n += len(lines)
		if ended {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *Cluster) outputOf(pod object.Ref) *output {
	key, err := c.key(pod)
	if err != nil || c.objects[key] == nil {
		return nil
	}
	return c.logs[string(c.objects[key].GetUID())]
}

// Tail gives the last n lines written so far.
func (c *Cluster) Tail(_ context.Context, pod object.Ref, container string, n int) ([]ledger.Line, error) {
	c.mu.Lock()
	err := c.record("log", pod)
	out := c.outputOf(pod)
	if err == nil && out == nil {
		err = c.notFound(pod)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, &object.RequestError{Verb: "get", Ref: pod, Err: err}
	}
	lines, _, _ := out.from(container, 0)
	return lines[max(0, len(lines)-n):], nil
}
