package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// outage is a shop whose database does not answer while lasting.
type outage struct {
	*memoryShop
	lasting atomic.Bool
}

func (o *outage) Ping(context.Context) error {
	if o.lasting.Load() {
		return errors.New("connection refused")
	}
	return nil
}

func TestReadinessWaitsForTheDatabaseOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		shop, state := &outage{memoryShop: stocked()}, &serving{}
		shop.lasting.Store(true)
		go state.awaitDatabase(ctx, shop, quiet())

		time.Sleep(3 * retryDatabase)
		synctest.Wait()
		if ready, reason := state.readiness(); ready || !strings.HasPrefix(reason, "starting") {
			t.Errorf("before: ready %v, %q", ready, reason)
		}
		shop.lasting.Store(false)
		time.Sleep(retryDatabase)
		synctest.Wait()
		if ready, reason := state.readiness(); !ready {
			t.Errorf("after the database answered: not ready, %q", reason)
		}
		shop.lasting.Store(true)
		time.Sleep(time.Hour)
		if ready, reason := state.readiness(); !ready {
			t.Errorf("in a later outage: not ready, %q", reason)
		}
	})
}

func TestAwaitingTheDatabaseEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		shop, state := stocked(), &serving{}
		shop.broken = errors.New("connection refused")
		done := make(chan struct{})
		go func() { state.awaitDatabase(ctx, shop, quiet()); close(done) }()
		time.Sleep(retryDatabase)
		cancel()
		<-done
		if ready, _ := state.readiness(); ready {
			t.Error("ready, though the database never answered")
		}
	})
}

// A request that is running when the service is told to stop gets its answer, and readiness fails before.
func TestShutDownFinishesRunningRequests(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived, finish := make(chan struct{}), make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-finish
		w.WriteHeader(http.StatusNoContent)
	})}
	go func() { _ = server.Serve(listener) }()

	code := make(chan int, 1)
	go func() {
		answer, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			code <- 0
			return
		}
		_ = answer.Body.Close()
		code <- answer.StatusCode
	}()
	<-arrived
	state, stopped := &serving{}, make(chan error, 1)
	state.reached.Store(true)
	go func() { stopped <- shutDown(server, state, 0, quiet()) }()
	for ready := true; ready; ready, _ = state.readiness() {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped (%v) while a request was running", err)
	default:
	}
	close(finish)
	if got := <-code; got != http.StatusNoContent {
		t.Errorf("the running request got %d, want 204", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
