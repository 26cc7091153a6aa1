package kube

import (
	"context"
	"sync"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/types"
)

// queue hands observations from several sources to one receiver, in order,
// merging those of one object that have not been taken yet. It holds at most
// one observation per object (by UID).
type queue struct {
	mu      sync.Mutex
	order   []entity
	pending map[entity]object.Observation
	// filled holds a token when there is something to take.
	filled chan struct{}
}

// entity is one object in the life of its name.
type entity struct {
	key object.Key
	uid types.UID
}

func newQueue() *queue {
	return &queue{pending: map[entity]object.Observation{}, filled: make(chan struct{}, 1)}
}

func (q *queue) put(o object.Observation) {
	e := entity{key: o.Ref.Key()}
	if o.Object != nil {
		e.uid = o.Object.GetUID()
	}
	q.mu.Lock()
	if _, ok := q.pending[e]; !ok {
		q.order = append(q.order, e)
	}
	q.pending[e] = o
	q.mu.Unlock()
	select {
	case q.filled <- struct{}{}:
	default:
	}
}

func (q *queue) take() (object.Observation, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.order) == 0 {
		return object.Observation{}, false
	}
	e := q.order[0]
	q.order = q.order[1:]
	o := q.pending[e]
	delete(q.pending, e)
	return o, true
}

// deliver sends what is put until ctx ends.
func (q *queue) deliver(ctx context.Context, out chan<- object.Observation) {
	for {
		o, ok := q.take()
		if !ok {
			select {
			case <-q.filled:
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case out <- o:
		case <-ctx.Done():
			return
		}
	}
}
