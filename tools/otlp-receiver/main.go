// Command otlp-receiver takes OTLP in as the OpenTelemetry Collector does (it
// is the Collector's own receiver) and writes what arrives as lines of JSON to
// standard output. The first line tells the addresses:
//
//	{"http":"http://127.0.0.1:4318","grpc":"http://127.0.0.1:4317"}
//	{"resourceSpans":[...]}
//	{"resourceLogs":[...]}
//
// It is for tests: with -tls DIR it serves
// HTTPS with a certificate that it makes, and writes into DIR.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "otlp-receiver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("otlp-receiver", flag.ContinueOnError)
	tlsDir := flags.String("tls", "", "serve HTTPS with a new certificate, and write it as cert.pem into this folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	settings, addresses, err := configuration(ctx, *tlsDir)
	if err != nil {
		return err
	}
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(settings).Unmarshal(config); err != nil {
		return err
	}
	w := &lineWriter{out: out}
	traces, err := consumer.NewTraces(w.traces)
	if err != nil {
		return err
	}
	logs, err := consumer.NewLogs(w.logs)
	if err != nil {
		return err
	}
	// Both are one receiver: the factory shares what has one configuration.
	create := receivertest.NewNopSettings(factory.Type())
	forTraces, err := factory.CreateTraces(ctx, create, config, traces)
	if err != nil {
		return err
	}
	if _, err := factory.CreateLogs(ctx, create, config, logs); err != nil {
		return err
	}
	if err := forTraces.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	if err := w.value(addresses); err != nil {
		return err
	}
	<-ctx.Done()
	return forTraces.Shutdown(context.WithoutCancel(ctx))
}

// addresses are where the receiver listens.
type addresses struct {
	HTTP string `json:"http"`
	GRPC string `json:"grpc"`
}

// configuration is that of the Collector's receiver, on free ports of this machine.
func configuration(ctx context.Context, tlsDir string) (map[string]any, addresses, error) {
	ports, err := freePorts(ctx, 2)
	if err != nil {
		return nil, addresses{}, err
	}
	http := map[string]any{"endpoint": ports[0]}
	grpc := map[string]any{"endpoint": ports[1]}
	scheme := "http"
	if tlsDir != "" {
		cert, key, err := writeCertificate(tlsDir)
		if err != nil {
			return nil, addresses{}, err
		}
		http["tls"] = map[string]any{"cert_file": cert, "key_file": key}
		grpc["tls"] = http["tls"]
		scheme = "https"
	}
	settings := map[string]any{"protocols": map[string]any{"http": http, "grpc": grpc}}
	return settings, addresses{HTTP: scheme + "://" + ports[0], GRPC: scheme + "://" + ports[1]}, nil
}

// freePorts finds addresses that nobody listens at.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var out []string
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		out = append(out, l.Addr().String())
	}
	return out, nil
}

// lineWriter writes a line of JSON for each request.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lineWriter) traces(_ context.Context, td ptrace.Traces) error {
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	return errors.Join(err, w.line(text))
}

func (w *lineWriter) logs(_ context.Context, ld plog.Logs) error {
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	return errors.Join(err, w.line(text))
}

func (w *lineWriter) value(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.line(text)
}

func (w *lineWriter) line(text []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.out.Write(append(text, '\n'))
	return err
}
