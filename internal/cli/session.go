package cli

import (
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/ui"
)

// The interfaces that engine, lifecycle and store declare, and what satisfies
// them: nothing else in the program sees both sides.
var (
	_ lifecycle.Cluster = (*kube.Client)(nil)
	_ engine.Cluster    = (*kube.Client)(nil)
)

// session is one operation against a cluster: everything that is closed again
// at its end.
type session struct {
	*lifecycle.Service
	app       *app
	client    *kube.Client
	records   recordStore
	namespace string
	view      ui.View
	// logs are the files of --log-dir; nil without.
	logs *ui.TestLogFiles
	// silence ends the telling through the view.
	silence func()
}

// viewOptions of an operation.
func (a *app) viewOptions(logs ui.LogMode) ui.Options {
	opts := ui.DefaultOptions()
	opts.EachObject = a.global.debug
	if logs != "" {
		opts.Logs = logs
	}
	return opts
}

// operate prepares an operation: a view on the streams, a client, the records
// and the service that uses them. No request is made yet. The caller ends the
// session with end.
func (a *app) operate(streams ui.Streams, opts ui.Options) (*session, error) {
	view := ui.NewView(streams, opts)
	s := &session{app: a, view: view, silence: a.throughView(view)}
	if err := s.open(); err != nil {
		s.silence()
		view.Close()
		return nil, err
	}
	return s, nil
}

// open builds what a session works with.
func (s *session) open() error {
	a := s.app
	client, err := kube.Connect(a.kubeOptions(s.view.Sink))
	if err != nil {
		return err
	}
	records, err := a.records(client)
	if err != nil {
		return err
	}
	s.client, s.records, s.namespace = client, records, client.Namespace()
	s.Service = &lifecycle.Service{
		Cluster: client, Records: records, Now: time.Now, Sink: a.watch.hear(s.view.Sink),
		Signals: a.signals.catch(), Engine: engine.DefaultOptions(), Phases: a.watch.phases(),
	}
	s.Engine.Ledger, s.Engine.By = a.ledger(client, records), operator()
	if err := a.applyKeeping(&s.Engine); err != nil {
		return err
	}
	if err := a.applyPatience(&s.Engine); err != nil {
		return err
	}
	a.applyLocking(s.Service, client)
	return s.writeLogs(a.logDir)
}

// throughView has everything told through a view, until back is called.
func (a *app) throughView(view ui.View) (back func()) {
	return a.through(func(p diag.Problem) { view.Sink(event.Notice{Problem: p}) })
}

// writeLogs begins to write the logs of hooks and tests into a folder.
func (s *session) writeLogs(dir string) error {
	if dir == "" {
		return nil
	}
	var err error
	if s.logs, err = ui.NewHookLogFiles(dir); err != nil {
		return asUsage(err)
	}
	show := s.Sink
	s.Sink = func(e event.Event) {
		show(e)
		s.logs.Sink(e)
	}
	return nil
}

// kubeOptions are those of the flags; the API server's warnings go to the sink.
func (a *app) kubeOptions(sink event.Sink) kube.Options {
	opts := a.global.kube()
	opts.Exchanged = a.watch.exchanged()
	opts.Warn = func(message string) {
		sink(event.Notice{Problem: diag.Problem{Severity: diag.Warning, Summary: message}})
	}
	return opts
}

// end shows what is left to show.
func (s *session) end() {
	s.silence()
	s.view.Close()
	if s.logs != nil {
		if _, err := s.logs.Close(); err != nil {
			s.app.warn(err.Error()) // what cannot be written does not fail a release
		}
	}
	if s.app.global.debug && s.client != nil {
		fmt.Fprintf(s.app.streams.Err, "requests: %s\n", requestText(s.client.Requests()))
	}
}
