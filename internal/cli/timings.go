package cli

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/ui"
)

// stopwatch notes where the time of one command goes, for --timings. A nil one
// notes nothing and costs nothing.
type stopwatch struct {
	began time.Time

	mu        sync.Mutex
	spans     []span
	exchanges []kube.Exchange
	// blocks finds the span of a block of steps.
	blocks map[string]int
}

// span is one phase, or all steps of one block.
type span struct {
	name       string
	began, end time.Time
}

// phase begins a phase.
func (w *stopwatch) phase(name string) (end func()) {
	if w == nil {
		return func() {}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := len(w.spans)
	w.spans = append(w.spans, span{name: name, began: time.Now()})
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.spans[at].end = time.Now()
	}
}

// phases is for operations; nil where nobody asks.
func (w *stopwatch) phases() lifecycle.PhaseClock {
	if w == nil {
		return nil
	}
	return w.phase
}

// hear takes from the events of a run how long each block of steps took.
func (w *stopwatch) hear(sink event.Sink) event.Sink {
	if w == nil {
		return sink
	}
	return func(e event.Event) {
		switch e := e.(type) {
		case event.PlanStarted:
			w.mu.Lock()
			w.blocks = map[string]int{}
			w.mu.Unlock()
		case event.StepStarted:
			w.stepped(e.Step.Block, true)
		case event.StepFinished:
			w.stepped(e.Step.Block, e.Outcome != event.Skipped)
		}
		sink(e)
	}
}

func (w *stopwatch) stepped(block string, ran bool) {
	if !ran {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	at, known := w.blocks[block]
	if !known {
		at = len(w.spans)
		w.blocks[block] = at
		w.spans = append(w.spans, span{name: "run: " + block, began: now})
	}
	w.spans[at].end = now
}

// exchanged notes a request; it is nil where nobody asks.
func (w *stopwatch) exchanged() func(kube.Exchange) {
	if w == nil {
		return nil
	}
	return func(x kube.Exchange) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.exchanges = append(w.exchanges, x)
	}
}

// result is what was noted until now.
func (w *stopwatch) result() ui.Timings {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := ui.Timings{Total: time.Since(w.began)}
	for _, s := range w.spans {
		p := ui.PhaseTiming{Name: s.name, Took: s.end.Sub(s.began)}
		for _, x := range w.exchanges {
			if !x.Began.Before(s.began) && x.Began.Before(s.end) {
				p.Requests++
			}
		}
		t.Phases = append(t.Phases, p)
	}
	t.Requests = summed(w.exchanges)
	t.CPU, t.Peak = consumed()
	return t
}

// summed adds up requests of one kind.
func summed(exchanges []kube.Exchange) []ui.RequestTiming {
	type kind struct{ verb, resource string }
	at := map[kind]int{}
	var out []ui.RequestTiming
	for _, x := range exchanges {
		k := kind{x.Verb, x.Resource}
		if _, known := at[k]; !known {
			at[k] = len(out)
			out = append(out, ui.RequestTiming{Verb: x.Verb, Resource: x.Resource})
		}
		r := &out[at[k]]
		r.Count++
		r.Sum += x.Took
		r.Longest = max(r.Longest, x.Took)
		r.Bytes += x.Bytes
		if x.Status == 0 || x.Status >= 400 {
			r.Failed++
		}
	}
	slices.SortStableFunc(out, func(a, b ui.RequestTiming) int { return cmp.Compare(b.Sum, a.Sum) })
	return out
}
