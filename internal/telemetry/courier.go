package telemetry

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pace bounds a courier's queue and says when it sends.
type pace struct {
	// records and bytes are how much may wait. Beyond it the oldest go: why
	// something failed stands at the end.
	records, bytes int
	// batch and batchBytes are how much goes with one request at most.
	batch, batchBytes int
	// delay is how long records wait for others to go with.
	delay time.Duration
	// pause is how long the first wait after a failure is; it doubles up to longest.
	pause, longest time.Duration
	// patience is how long one batch is tried for.
	patience time.Duration
}

func defaultPace() pace {
	return pace{
		records: 16384, bytes: 16 << 20, batch: 4096, batchBytes: 1 << 20, delay: time.Second,
		pause: time.Second, longest: 30 * time.Second, patience: 2 * time.Minute,
	}
}

// rejection is an answer that says no.
type rejection struct {
	err error
	// again tells that the same request may be taken later, after how long,
	// where that was said.
	again bool
	after time.Duration
}

// Error is what was answered.
func (r *rejection) Error() string { return r.err.Error() }

// Unwrap gives it.
func (r *rejection) Unwrap() error { return r.err }

// deliver sends records in one request. It returns how many of them were not
// taken although the others were. Any error but a rejection is about reaching
// the collector, and passes perhaps.
type deliver[T any] func(ctx context.Context, records []T) (refused int, err error)

// item is a record and about how many bytes it takes.
type item[T any] struct {
	record T
	size   int
}

// courier takes records from any goroutine without ever blocking, and sends
// them in batches from a goroutine of its own.
type courier[T any] struct {
	pace    pace
	deliver deliver[T]

	// ctx is the life of requests.
	ctx     context.Context
	cancel  context.CancelFunc
	wake    chan struct{}
	closing chan struct{}
	done    chan struct{}
	// limit bounds the end; it is set before closing is closed.
	limit context.Context

	mu    sync.Mutex
	queue []item[T]
	bytes int
	loss  Loss
}

// Loss is how much of a signal did not arrive.
type Loss struct {
	// Sent counts the records that were to be sent, Lost those that did not arrive.
	Sent, Lost int
	// Why is the last reason; nil where they came faster than they could be sent.
	Why error
}

func newCourier[T any](ctx context.Context, p pace, d deliver[T]) *courier[T] {
	c := &courier[T]{pace: p, deliver: d, wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go c.run()
	return c
}

// put takes a record of about that many bytes.
func (c *courier[T]) put(record T, size int) {
	c.mu.Lock()
	c.loss.Sent++
	c.queue = append(c.queue, item[T]{record, size})
	c.bytes += size
	for len(c.queue) > c.pace.records || c.bytes > c.pace.bytes {
		c.take(1)
		c.loss.Lost++
	}
	full := len(c.queue) >= c.pace.batch || c.bytes >= c.pace.batchBytes
	c.mu.Unlock()
	if full {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// take removes the oldest records; c.mu is held.
func (c *courier[T]) take(n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = c.queue[i].record
		c.bytes -= c.queue[i].size
		c.queue[i] = item[T]{} // lets it go before append moves the slice
	}
	c.queue = c.queue[n:]
	return out
}

// next takes what goes with one request.
func (c *courier[T]) next() []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, size := 0, 0
	for n < len(c.queue) && n < c.pace.batch {
		if size += c.queue[n].size; n > 0 && size > c.pace.batchBytes {
			break
		}
		n++
	}
	return c.take(n)
}

// close sends what is left until ctx ends, and says what did not arrive. A
// request that is under way then is cut off.
func (c *courier[T]) close(ctx context.Context) Loss {
	defer context.AfterFunc(ctx, c.cancel)()
	c.limit = ctx
	close(c.closing)
	<-c.done
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loss
}

func (c *courier[T]) run() {
	defer close(c.done)
	for last := false; !last; {
		select {
		case <-c.closing:
			last = true // all that comes has come
		case <-c.wake:
		case <-time.After(c.pace.delay):
		}
		for batch := c.next(); len(batch) > 0; batch = c.next() {
			if !c.send(batch) {
				c.giveUp()
				return
			}
		}
	}
}

func (c *courier[T]) isClosing() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}

// send tries a batch until it is taken, refused or too old. It returns false
// when there is no hope for others either: at the end, when the collector
// cannot be reached in the time that is left.
func (c *courier[T]) send(batch []T) bool {
	begun := time.Now()
	for pause := c.pace.pause; ; pause = min(2*pause, c.pace.longest) {
		last := c.isClosing() // before the request: one that began earlier does not count as the last
		refused, err := c.deliver(c.ctx, batch)
		if err == nil {
			c.lose(refused, errPartly)
			return true
		}
		var no *rejection
		if errors.As(err, &no) && !no.again {
			c.lose(len(batch), err)
			return true
		}
		if no == nil && last || c.ctx.Err() != nil || time.Since(begun) >= c.pace.patience {
			c.lose(len(batch), err)
			return !last && c.ctx.Err() == nil
		}
		wait := pause
		if no != nil && no.after > 0 {
			wait = no.after
		} else if last {
			wait = min(wait, c.pace.pause)
		}
		if !c.sleep(wait, last) {
			c.lose(len(batch), err)
			return false
		}
	}
}

// errPartly says what a collector means that takes a request but not all of it.
var errPartly = errors.New("the collector took the others and refused these")

// sleep waits before another try; false when there is no time left for one. The
// beginning of the end cuts it short.
func (c *courier[T]) sleep(d time.Duration, last bool) bool {
	closing := c.closing
	if last {
		closing = nil
		if until, bounded := c.limit.Deadline(); bounded && time.Until(until) <= d {
			return false
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-closing:
		return true
	case <-c.ctx.Done():
		return false
	}
}

func (c *courier[T]) lose(n int, why error) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loss.Lost += n
	c.loss.Why = why
}

// giveUp counts what still waits as lost.
func (c *courier[T]) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loss.Lost += len(c.queue)
	c.queue = nil
}
