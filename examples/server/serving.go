package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// retryDatabase is the pause between two attempts to reach the database at start.
const retryDatabase = 500 * time.Millisecond

// serving is whether this process should get requests. It goes one way: starting, ready, draining.
type serving struct {
	reached  atomic.Bool
	draining atomic.Bool
	// running counts the requests being answered now, those of the probes and of drain itself left out.
	running atomic.Int64
}

// readiness answers the probe: whether to send requests here, and if not, why.
func (s *serving) readiness() (ready bool, reason string) {
	switch {
	case s.draining.Load():
		return false, "draining"
	case !s.reached.Load():
		return false, "starting: the database has not been reached yet"
	default:
		return true, "ok"
	}
}

// drain makes readiness fail for good. Requests that come all the same are still answered.
func (s *serving) drain() { s.draining.Store(true) }

// awaitDatabase tries until the database answers once, or ctx ends. From then on readiness leaves the database alone:
// an outage of it would otherwise take every replica out of the Service and turn clear answers into refused connections.
func (s *serving) awaitDatabase(ctx context.Context, shop shop, log *slog.Logger) {
	for ctx.Err() == nil {
		err := shop.Ping(ctx)
		if err == nil {
			s.reached.Store(true)
			log.Info("the database answers")
			return
		}
		log.Warn("the database does not answer yet", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryDatabase):
		}
	}
}
