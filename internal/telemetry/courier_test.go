package telemetry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// collector is the other side of a courier: what it answers, and what it got when.
type collector struct {
	mu      sync.Mutex
	begun   time.Time
	answer  func(n int, batch []int) (int, error)
	hang    bool
	got     []int
	batches []int
	at      []time.Duration
}

func (c *collector) deliver(ctx context.Context, batch []int) (int, error) {
	c.mu.Lock()
	n := len(c.at)
	c.at = append(c.at, time.Since(c.begun))
	c.mu.Unlock()
	if c.hang {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	if c.answer != nil {
		if refused, err := c.answer(n, batch); err != nil || refused > 0 {
			return refused, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, batch...)
	c.batches = append(c.batches, len(batch))
	return 0, nil
}

// small is a pace with which queues are full soon.
func small() pace {
	return pace{
		records: 10, bytes: 1000, batch: 4, batchBytes: 100, delay: time.Second,
		pause: time.Second, longest: 8 * time.Second, patience: time.Minute,
	}
}

func numbers(from, to int) []int {
	var out []int
	for i := from; i <= to; i++ {
		out = append(out, i)
	}
	return out
}

// ended closes a courier within 5 s and gives what was lost, and how long that took.
func ended(c *courier[int]) (Loss, time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	begun := time.Now()
	return c.close(ctx), time.Since(begun)
}

func send(c *courier[int], from, to int) {
	for _, n := range numbers(from, to) {
		c.put(n, 1)
	}
}

func TestAllArrivesInOrderAndInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := &collector{begun: time.Now()}
		c := newCourier(t.Context(), small(), there.deliver)
		send(c, 1, 2)
		time.Sleep(1500 * time.Millisecond) // nothing need wait for the end
		synctest.Wait()
		if !slices.Equal(there.got, []int{1, 2}) {
			t.Errorf("after the delay %v has arrived", there.got)
		}
		c.put(3, 90)
		c.put(4, 90)
		send(c, 5, 9)
		loss, took := ended(c)
		if !slices.Equal(there.got, numbers(1, 9)) || loss != (Loss{Sent: 9}) || took != 0 {
			t.Errorf("got %v, loss %+v, took %s", there.got, loss, took)
		}
		if !slices.Equal(there.batches, []int{2, 1, 4, 2}) { // by count, and by bytes: 90+90 is more than 100
			t.Errorf("batches of %v", there.batches)
		}
	})
}

func TestWhatComesTooFastIsDroppedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := &collector{begun: time.Now(), hang: true}
		c := newCourier(t.Context(), small(), there.deliver)
		send(c, 1, 4)
		synctest.Wait() // these are under way now, and never come back
		begun := time.Now()
		send(c, 5, 30)
		if took := time.Since(begun); took != 0 {
			t.Errorf("putting took %s", took)
		}
		if got := c.next(); !slices.Equal(got, numbers(21, 24)) {
			t.Errorf("the oldest that are kept are %v; the newest 10 should be", got)
		}
		c.put(31, 2000) // larger than all that may wait
		if len(c.queue) != 0 || c.bytes != 0 {
			t.Errorf("%d wait, of %d bytes", len(c.queue), c.bytes)
		}
		if c.loss.Sent != 31 || c.loss.Lost != 16+6+1 {
			t.Errorf("loss %+v", c.loss)
		}
		loss, took := ended(c)
		if took != 5*time.Second {
			t.Errorf("a collector that hangs held the end for %s", took)
		}
		if loss.Lost != 16+6+1+4 || loss.Why == nil {
			t.Errorf("loss %+v", loss)
		}
	})
}

func TestRetries(t *testing.T) {
	refused := errors.New("connection refused")
	busy := &rejection{err: errors.New("busy"), again: true, after: 10 * time.Second}
	bad := &rejection{err: errors.New("bad request")}
	seconds := func(s ...int) (out []time.Duration) {
		for _, n := range s {
			out = append(out, time.Duration(n)*time.Second)
		}
		return out
	}
	tests := []struct {
		name   string
		answer func(n int) error
		// run is how long the run goes on after the first record.
		run  time.Duration
		at   []time.Duration
		lost int
		took time.Duration
	}{
		{"comes back", func(n int) error { return []error{refused, refused, refused, nil}[n] }, time.Minute, seconds(1, 2, 4, 8), 0, 0},
		{"asks for patience", func(n int) error { return []error{busy, nil}[n] }, time.Minute, seconds(1, 11), 0, 0},
		{"says no", func(int) error { return bad }, time.Minute, seconds(1), 1, 0},
		{"is not there at the end", func(int) error { return refused }, 0, seconds(0), 1, 0},
		{"is not there, then the end comes", func(int) error { return refused }, 10 * time.Second, seconds(1, 2, 4, 8, 10), 1, 0},
		{"comes back at the end", func(n int) error { return []error{refused, nil}[n] }, 1500 * time.Millisecond, []time.Duration{time.Second, 1500 * time.Millisecond}, 0, 0},
		{"is busy for longer than the end lasts", func(int) error { return busy }, 0, seconds(0), 1, 0},
		{"is busy at the end, and then is not", func(n int) error {
			return []error{&rejection{err: busy, again: true, after: 3 * time.Second}, nil}[n]
		}, 0, seconds(0, 3), 0, 3 * time.Second},
		{"is busy without saying for how long", func(int) error { return &rejection{err: busy, again: true} }, 0, seconds(0, 1, 2, 3, 4), 1, 4 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				there := &collector{begun: time.Now(), answer: func(n int, _ []int) (int, error) { return 0, tt.answer(n) }}
				c := newCourier(t.Context(), small(), there.deliver)
				c.put(1, 1)
				time.Sleep(tt.run)
				loss, took := ended(c)
				if fmt.Sprint(there.at) != fmt.Sprint(tt.at) {
					t.Errorf("tried at %v, not %v", there.at, tt.at)
				}
				if loss.Lost != tt.lost || loss.Sent != 1 || (loss.Why != nil) != (tt.lost > 0) {
					t.Errorf("loss %+v", loss)
				}
				if took != tt.took {
					t.Errorf("the end took %s, not %s", took, tt.took)
				}
			})
		})
	}
}

func TestABatchIsNotTriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		there := &collector{begun: time.Now()}
		there.answer = func(int, []int) (int, error) {
			if !up.Load() {
				return 0, errors.New("no route")
			}
			return 0, nil
		}
		c := newCourier(t.Context(), small(), there.deliver)
		send(c, 1, 4)
		time.Sleep(2 * time.Minute)
		up.Store(true)
		send(c, 5, 6)
		loss, _ := ended(c)
		if !slices.Equal(there.got, []int{5, 6}) || loss.Lost != 4 {
			t.Errorf("got %v, loss %+v", there.got, loss)
		}
	})
}

func TestWhatACollectorLeavesOutIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := &collector{begun: time.Now(), answer: func(int, []int) (int, error) { return 2, nil }}
		c := newCourier(t.Context(), small(), there.deliver)
		send(c, 1, 3)
		if loss, _ := ended(c); loss.Lost != 2 || loss.Sent != 3 || loss.Why == nil {
			t.Errorf("loss %+v", loss)
		}
	})
}
