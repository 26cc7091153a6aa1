package engine

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/object"
)

// settlers watch over workloads that are ready but for containers without a
// readiness probe, which count only when they have run for a while. Such a
// workload shows as in progress until then.
type settlers struct {
	limit time.Duration
	of    map[object.Key]*health.Settling
	// open are the workloads that are not ready for nothing else, and how they show.
	open map[object.Key]settling
}

// settling is how a workload shows, and whether all of its containers ran then.
type settling struct {
	health.Status
	run bool
}

func newSettlers(limit time.Duration) settlers {
	return settlers{limit: limit, of: map[object.Key]*health.Settling{}, open: map[object.Key]settling{}}
}

func (s settlers) one(key object.Key) *health.Settling {
	if s.of[key] == nil {
		s.of[key] = &health.Settling{Settle: s.limit}
	}
	return s.of[key]
}

// beginSettling shows a workload as settling for as long as that. It may call
// itself ready for some time after a container has ended.
func (t *tracker) beginSettling(ref object.Ref, rest time.Duration, run bool) {
	is := "running"
	if !run {
		is = "a container has ended"
	}
	s := health.Status{
		State: health.InProgress, Reason: "Settling",
		Message: fmt.Sprintf("%s; ready after %s without a restart", is, max(rest.Round(time.Second), time.Second)),
	}
	t.settlers.open[ref.Key()] = settling{Status: s, run: run}
	t.show(ref, s)
}

// unsettled is how long it takes until the object's containers have run for
// long enough, 0 for what has none, and whether they run now.
func (t *tracker) unsettled(ref object.Ref) (rest time.Duration, run bool) {
	obj := t.objects[ref.Key()]
	if obj == nil || !workload(ref) || ref.Kind == "Job" {
		return 0, true
	}
	return t.settlers.one(ref.Key()).Remaining(t.related().Pods(obj), t.engine.now())
}

// settle shows those as ready that have settled, and says how long it takes
// until the next one may have; 0 when there is none.
func (t *tracker) settle() time.Duration {
	if len(t.settlers.open) == 0 {
		return 0
	}
	var next time.Duration
	for _, ref := range t.order {
		shown, open := t.settlers.open[ref.Key()]
		if !open {
			continue
		}
		rest, run := t.unsettled(ref)
		if rest <= 0 {
			delete(t.settlers.open, ref.Key())
			t.show(ref, t.states[ref.Key()])
			continue
		}
		if run != shown.run {
			t.beginSettling(ref, rest, run)
		}
		if next == 0 || rest < next {
			next = rest
		}
	}
	return next
}

// reopen looks once more at all that is ready, when nothing else is waited for:
// a container may have ended since. It reports whether all have settled.
func (t *tracker) reopen() bool {
	for _, ref := range t.order {
		if _, open := t.settlers.open[ref.Key()]; open {
			continue
		}
		if rest, run := t.unsettled(ref); rest > 0 {
			t.beginSettling(ref, rest, run)
		}
	}
	return len(t.settlers.open) == 0
}
