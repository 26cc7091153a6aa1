package chart

import (
	"context"
	"fmt"
	"runtime/metrics"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
)

// gauge watches how much memory this process takes.
type gauge struct {
	limits  Limits
	samples []metrics.Sample
	// stacks is what stacks took before: those of an earlier rendering may not
	// have been collected yet.
	stacks uint64
}

// runawayStack is a stack that no chart needs, tens of thousands of calls deep:
// templates call each other without an end. Go ends the process at a gigabyte,
// which cannot be caught.
const runawayStack = 64 << 20

// gaugeInterval is short against the time in which a template can take what
// is between a limit and what the machine has.
const gaugeInterval = 10 * time.Millisecond

func newGauge(limits Limits) *gauge {
	g := &gauge{limits: limits, samples: []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"},
	}}
	metrics.Read(g.samples)
	g.stacks = g.samples[2].Value.Uint64()
	return g
}

// until calls exceeded once, when too much memory is taken before ctx ends.
func (g *gauge) until(ctx context.Context, exceeded func(diag.Problem)) {
	ticker := time.NewTicker(gaugeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if p := g.read(); p != nil {
			exceeded(*p)
			return
		}
	}
}

// read is what is wrong now, or nil.
func (g *gauge) read() *diag.Problem {
	metrics.Read(g.samples)
	taken := int64(g.samples[0].Value.Uint64() - g.samples[1].Value.Uint64())
	switch {
	case g.samples[2].Value.Uint64() > g.stacks+runawayStack:
		return &diag.Problem{Summary: endlessCalls, Detail: deeper}
	case taken > g.limits.Of(LimitRenderMemory):
		p := g.limits.tooMuchMemory()
		return &p
	}
	return nil
}

func (l Limits) tooMuchMemory() diag.Problem {
	return l.exceeded(LimitRenderMemory, "", fmt.Sprintf("rendering takes more than %s of memory", size(l.Of(LimitRenderMemory))))
}

const (
	endlessCalls = "rendering does not end"
	deeper       = "templates call each other, or tpl, ever deeper"
	// which is for a rendering in this process, where nobody knows.
	which = "\nwith --render-timeout the message says which template it is"
)

// Runaway is a rendering that was given up in this process, where it cannot be
// stopped: the process should end soon.
type Runaway struct{ Cause error }

// Error is that of the cause.
func (r *Runaway) Error() string { return r.Cause.Error() }

// Unwrap gives the cause: a diag.Problem, or the end of the context.
func (r *Runaway) Unwrap() error { return r.Cause }

// guarded runs an engine in this process and gives it up when ctx ends or it
// takes too much memory: Helm's engine cannot be stopped. What has been given
// up goes on until the process ends, so that its caller must see to that.
func guarded(ctx context.Context, limits Limits, run func() (map[string]string, error)) (map[string]string, error) {
	type result struct {
		files map[string]string
		err   error
	}
	done, tooMuch := make(chan result, 1), make(chan diag.Problem, 1)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	gauge := newGauge(limits)
	go func() {
		files, err := run()
		done <- result{files, err}
	}()
	go gauge.until(watching, func(p diag.Problem) { tooMuch <- p })
	select {
	case r := <-done:
		return r.files, r.err
	case p := <-tooMuch:
		p.Detail += which
		return nil, &Runaway{Cause: p}
	case <-ctx.Done():
		return nil, &Runaway{Cause: context.Cause(ctx)}
	}
}
