package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"time"

	"github.com/pintle-dev/pintle/internal/ui"
)

// profile is what --profile PREFIX writes while a command runs: PREFIX.cpu.pprof
// and PREFIX.trace all along, PREFIX.heap.pprof at the end.
type profile struct {
	prefix     string
	cpu, trace *os.File
}

// startProfile begins to write; the error is one of the flag's value.
func startProfile(prefix string) (*profile, error) {
	p := &profile{prefix: prefix}
	var err error
	if p.cpu, err = os.Create(prefix + ".cpu.pprof"); err != nil {
		return nil, err
	}
	if p.trace, err = os.Create(prefix + ".trace"); err != nil {
		return nil, errors.Join(err, p.cpu.Close())
	}
	if err := pprof.StartCPUProfile(p.cpu); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if err := trace.Start(p.trace); err != nil {
		pprof.StopCPUProfile()
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// stop writes what is left.
func (p *profile) stop() error {
	trace.Stop()
	pprof.StopCPUProfile()
	err := p.close()
	heap, created := os.Create(p.prefix + ".heap.pprof")
	if created != nil {
		return errors.Join(err, created)
	}
	runtime.GC() // so that what is in use is up to date
	return errors.Join(err, pprof.WriteHeapProfile(heap), heap.Close())
}

func (p *profile) close() error { return errors.Join(p.cpu.Close(), p.trace.Close()) }

// measure begins what --profile and --timings ask for.
func (a *app) measure() error {
	if a.global.timings {
		a.watch = &stopwatch{began: time.Now()}
	}
	if a.global.profile == "" {
		return nil
	}
	var err error
	if a.profile, err = startProfile(a.global.profile); err != nil {
		return asUsage(fmt.Errorf("--profile: %w", err))
	}
	return nil
}

// measured writes what was asked for. A command that has done its work has not
// failed because of it.
func (a *app) measured() {
	if a.profile != nil {
		if err := a.profile.stop(); err != nil {
			a.warn("--profile: " + err.Error())
		}
	}
	if a.watch == nil {
		return
	}
	if err := ui.WriteTimings(a.streams.Err, a.watch.result()); err != nil {
		a.warn("--timings: " + err.Error())
	}
}
