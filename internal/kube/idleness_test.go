package kube

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestALongLogIsReadOn: of a short log that has ended nothing is behind; a
// long one is followed for as long as lines come.
func TestALongLogIsReadOn(t *testing.T) {
	for name, c := range map[string]struct {
		bytes int
		want  time.Duration
	}{
		"short": {100, 0},
		"long":  {longLog, 5*time.Second + longQuiet},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cancelled time.Time
				var once sync.Once // by whichever timer is first
				begin := time.Now()
				i := newIdleness(func() { once.Do(func() { cancelled = time.Now() }) })
				defer i.stop()
				i.line(c.bytes)
				i.end()
				for range 5 {
					time.Sleep(time.Second)
					i.line(1)
					i.end() // a watch may tell more than once
				}
				time.Sleep(time.Minute)
				once.Do(func() {}) // orders what its function wrote before what is read here
				if got := cancelled.Sub(begin); got != c.want {
					t.Errorf("ended after %s, not %s", got, c.want)
				}
			})
		})
	}
}
