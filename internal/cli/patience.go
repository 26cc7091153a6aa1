package cli

import (
	"errors"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/spf13/pflag"
)

// patienceFlags say how long it is worth waiting for something in trouble.
// They are declared once in each run, by the command that runs.
type patienceFlags struct {
	declared  bool
	failAfter time.Duration
	failFast  string
	settle    time.Duration
}

// failFastModes are the values of --fail-fast.
var failFastModes = []string{string(engine.FailFastAuto), string(engine.FailFastAll), string(engine.FailFastNone)}

// addPatience declares the flags of operations that wait. Those of tests have
// a --fail-fast of their own.
func (a *app) addPatience(f *pflag.FlagSet) {
	p := &a.patience
	defaults := engine.DefaultOptions()
	p.declared, p.failFast = true, string(engine.FailFastAuto)
	f.DurationVar(&p.failAfter, "fail-after", defaults.Impatience,
		"give up on a wait, hook or test that makes no progress for this long since an image cannot be pulled or a container keeps crashing; 0 waits for the timeout")
	f.DurationVar(&p.settle, "settle", defaults.Settle, "how long a container without a readiness probe must run without a restart to count as ready; after a restart five times as long")
	if f.Lookup("fail-fast") == nil {
		f.Var(&choice{value: &p.failFast, known: failFastModes}, "fail-fast",
			"what ends a wait or hook before its timeout: auto (what seldom heals), all (also what often does: no room on any node, a missing Secret, a full quota) or none")
	}
}

// applyPatience makes the engine wait as the flags say.
func (a *app) applyPatience(opts *engine.Options) error {
	p := &a.patience
	switch {
	case !p.declared:
		return nil
	case p.failAfter < 0:
		return asUsage(errors.New("--fail-after must not be negative"))
	case p.settle < 0:
		return asUsage(errors.New("--settle must not be negative"))
	}
	opts.Impatience, opts.Settle, opts.FailFast = p.failAfter, p.settle, engine.FailFast(p.failFast)
	return nil
}
