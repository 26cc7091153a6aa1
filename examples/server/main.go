// Command storefront is the small shop of Pintle's examples: a web service on Postgres, with what a real one has of
// health checks, a token, a cache, and a graceful end. It is there to be installed, upgraded and broken; it is no part
// of Pintle itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// How long a finished process may still take: requestLimit for one request to be read and answered, shutdownLimit
// for those that were running when it was told to stop.
const (
	requestLimit  = 10 * time.Second
	shutdownLimit = 10 * time.Second
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	settings, err := settingsFrom(os.Getenv)
	if err == nil {
		err = run(ctx, settings, log)
	}
	if err != nil {
		log.Error("storefront failed", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then stops gracefully. It returns nil after an orderly stop.
func run(ctx context.Context, settings settings, log *slog.Logger) error {
	log = log.With("version", settings.version)
	shop, err := openPostgres(ctx, "")
	if err != nil {
		return err
	}
	defer shop.Close()

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", settings.address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", settings.address, err)
	}
	state := &serving{}
	service := newService(shop, state, settings, log)
	server := &http.Server{Handler: service, ReadTimeout: requestLimit, WriteTimeout: requestLimit}

	go state.awaitDatabase(ctx, shop, log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("serving", "address", listener.Addr().String())

	select {
	case err := <-served:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	return shutDown(server, state, settings.shutdownDelay, log)
}

// shutDown ends the service in the order that loses no request: readiness fails first, so that the Service stops
// sending requests here; after delay, which gives that news time to travel, the running requests are finished.
func shutDown(server *http.Server, state *serving, delay time.Duration, log *slog.Logger) error {
	state.drain()
	log.Info("stopping: taking no new requests soon", "delay", delay.String())
	time.Sleep(delay)

	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("finishing the running requests: %w", err)
	}
	log.Info("stopped")
	return nil
}
