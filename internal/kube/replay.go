package kube

import (
	"hash/maphash"
	"maps"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
)

// replay knows which lines a log stream that is taken up again will repeat:
// it can only be asked to begin at a whole second, so everything since the
// beginning of the last line's second comes twice. Memory is bounded by
// mostLines of one second; past that, lines are told apart by time alone.
type replay struct {
	// since is the second of the latest line; zero before the first line.
	since  time.Time
	latest time.Time
	// said counts the lines of that second and later, by hash.
	said map[uint64]int
	full bool
	// again are those of them that are still to come a second time.
	again map[uint64]int
}

const mostLines = 8192

var lineSeed = maphash.MakeSeed()

// begin prepares for a stream, and gives the time from which it must repeat.
func (r *replay) begin() (since time.Time, ok bool) {
	r.again = maps.Clone(r.said)
	return r.since, !r.since.IsZero()
}

// isNew reports whether a line has not been seen before, and notes it.
func (r *replay) isNew(l ledger.Line) bool {
	id := maphash.String(lineSeed, l.Time.Format(time.RFC3339Nano)+" "+l.Text)
	if r.again[id] > 0 {
		r.again[id]--
		return false
	}
	if r.full && r.again != nil && !l.Time.After(r.latest) {
		return false
	}
	r.note(l.Time, id)
	return true
}

func (r *replay) note(at time.Time, id uint64) {
	if second := at.UTC().Truncate(time.Second); second.After(r.since) || r.said == nil {
		r.since, r.said, r.full, r.again = second, map[uint64]int{}, false, nil
	}
	if at.After(r.latest) {
		r.latest = at
	}
	if len(r.said) >= mostLines {
		r.full = true
		return
	}
	r.said[id]++
}
