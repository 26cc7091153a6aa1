package ui

import (
	"fmt"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

// board is what is under way now: the source of the live lines.
type board struct {
	opts  Options
	order []string
	rows  map[string]*row
}

// row is one running step.
type row struct {
	step    plan.Step
	started time.Time
	// status is the last one of the step's own object.
	status health.Status
	// waiting are the objects of a wait that are not ready, in the plan's order.
	waiting map[object.Key]watched
	// looked tells that the state of some object is known.
	looked bool
	// log are the last lines, of pods that have been seen.
	log  []string
	pods podNames
}

type watched struct {
	ref    object.Ref
	status health.Status
}

const (
	// liveRows is how many lines the live part has at most; a terminal of 24
	// rows then still shows what came before.
	liveRows = 12
	// logRows is how many log lines of each running hook are shown.
	logRows = 3
)

func newBoard(opts Options) *board { return &board{opts: opts, rows: map[string]*row{}} }

func (b *board) take(e event.Event) {
	switch e := e.(type) {
	case event.StepStarted:
		b.rows[e.Step.ID] = &row{step: e.Step, started: e.Time, waiting: map[object.Key]watched{}, pods: podNames{}}
		b.order = append(b.order, e.Step.ID)
	case event.ObjectObserved:
		if r := b.rows[e.StepID]; r != nil {
			r.observe(e)
		}
	case event.LogLine:
		if r := b.rows[e.StepID]; r != nil && b.opts.Logs == LogsAuto {
			r.log = append(r.log, r.pods.short(e)+" | "+clean(e.Shown()))
			r.log = r.log[max(0, len(r.log)-logRows):]
		}
	case event.RunFinished:
		if r := b.rows[e.StepID]; r != nil {
			r.pods.forget(e.StepID)
		}
	case event.StepFinished:
		b.drop(e.Step.ID)
	case event.PlanFinished:
		b.rows, b.order = map[string]*row{}, nil
	}
}

func (b *board) drop(id string) {
	delete(b.rows, id)
	for i, have := range b.order {
		if have == id {
			b.order = append(b.order[:i], b.order[i+1:]...)
			return
		}
	}
}

func (r *row) observe(e event.ObjectObserved) {
	if _, wait := r.step.Action.(plan.Await); !wait {
		r.status = e.Status
		return
	}
	r.looked = true
	if e.Status.State == health.Ready {
		delete(r.waiting, e.Object.Key())
		return
	}
	r.waiting[e.Object.Key()] = watched{e.Object, e.Status}
}

// lines draws the running steps as of now, oldest first, in at most that many
// lines: with fewer log lines where there is no room, then the rest as a number.
func (b *board) lines(now time.Time, n *narrator, room int) []line {
	room = max(1, min(room, liveRows))
	var out []line
	for logs := logRows; logs >= 0; logs-- {
		if out = b.all(now, n, logs); len(out) <= room {
			return out
		}
	}
	hidden := len(out) - room + 1
	return append(out[:room-1], line{raw: fmt.Sprintf("... and %d more", hidden), look: faint})
}

// all draws all running steps, with up to that many log lines of each.
func (b *board) all(now time.Time, n *narrator, logs int) []line {
	var out []line
	working := 0
	for _, id := range b.order {
		r := b.rows[id]
		switch a := r.step.Action.(type) {
		case plan.RunHook:
			out = append(out, r.hook(now, n.name(object.RefOf(a.Object)), logs)...)
		case plan.Await:
			out = append(out, r.await(now, n, a)...)
		case plan.Apply, plan.Delete, plan.CreateNamespace, plan.CleanHook:
			working++
		}
	}
	if n.block != nil && working > 0 {
		out = append(out, line{
			phase: n.block.name, subject: objects(n.block.total) + " so far", text: fmt.Sprintf("%d under way", working),
			took: now.Sub(n.block.started), look: lipgloss.NewStyle(),
		})
	}
	return out
}

func (r *row) hook(now time.Time, name string, logs int) []line {
	text := "running"
	if r.status.Trouble() {
		text = observation(r.status)
	}
	out := []line{{phase: phase(r.step), subject: name, text: text, took: now.Sub(r.started), look: liveLook(r.status)}}
	for _, l := range r.log[max(0, len(r.log)-logs):] {
		out = append(out, line{raw: "  " + l, look: faint})
	}
	return out
}

func (r *row) await(now time.Time, n *narrator, a plan.Await) []line {
	var out []line
	for _, ref := range a.Subjects() {
		w, ok := r.waiting[ref.Key()]
		if !ok {
			continue
		}
		out = append(out, line{
			phase: phase(r.step), subject: n.name(ref), text: observation(w.status), took: now.Sub(r.started), look: liveLook(w.status),
		})
	}
	if len(out) == 0 {
		text := "looking"
		if r.looked {
			text = "settling"
		}
		out = append(out, line{phase: phase(r.step), subject: objects(len(a.Subjects())), text: text, took: now.Sub(r.started)})
	}
	return out
}

// liveLook colours only what is wrong: what is under way has no colour yet.
func liveLook(s health.Status) lipgloss.Style {
	if s.Trouble() {
		return stateLook(s)
	}
	return lipgloss.NewStyle()
}
