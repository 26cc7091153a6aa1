package cli

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pintle-dev/pintle/internal/plan"
)

// crashVariable names, for tests of crashes, the moment at which the process
// kills itself: a number N for the start of the Nth step of all plans that it
// runs, "before:ID" and "after:ID" for the ends of one step, "during:ID:100ms"
// for that long after its start, and "N:100ms" likewise. Nothing is cleaned up
// and nothing written. With "int:" before it, it is an interrupt instead.
const crashVariable = "PINTLE_TEST_KILL_AT"

// crashPoint is what the variable asks for, nil when it is not set.
func crashPoint(env Env) func(plan.Step, bool) {
	at := env.text(crashVariable)
	if at == "" {
		return nil
	}
	end := die
	if rest, ok := strings.CutPrefix(at, "int:"); ok {
		at, end = rest, interruptSelf
	}
	at, delay := crashDelay(at)
	var started atomic.Int64
	return func(s plan.Step, ended bool) {
		hit := ended && at == "after:"+s.ID
		if !ended {
			hit = strconv.FormatInt(started.Add(1), 10) == at || at == "before:"+s.ID || at == "during:"+s.ID
		}
		switch {
		case hit && delay > 0:
			time.AfterFunc(delay, end)
		case hit:
			end()
		}
	}
}

func crashDelay(at string) (string, time.Duration) {
	i := strings.LastIndexByte(at, ':')
	if i < 0 {
		return at, 0
	}
	delay, err := time.ParseDuration(at[i+1:])
	if err != nil {
		return at, 0
	}
	return at[:i], delay
}

// interruptSelf is the user's Ctrl-C.
func interruptSelf() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Signal(os.Interrupt) // what cannot be interrupted is found by the test
	}
}

// die is a death without last words.
func die() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill() // what cannot be killed is found by the test
	}
	select {}
}
