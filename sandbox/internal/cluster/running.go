package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/pintle-dev/pintle/sandbox/internal/process"
)

// start starts components and records them.
func (u *upping) start(specs ...process.Spec) error {
	if u.running == nil {
		u.running = map[string]*process.Running{}
	}
	for _, spec := range specs {
		running, err := process.Start(spec, u.Layout.Dir)
		if err != nil {
			return err
		}
		u.running[spec.Name] = running
		u.state.Components = append(u.state.Components, component{Spec: spec, ID: running.ID})
		if err := u.state.save(u.Layout); err != nil {
			return err
		}
	}
	return nil
}

// await waits until ready returns nil. It gives up at once when one of the
// components that were started ends.
func (u *upping) await(ctx context.Context, what string, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return poll(ctx, func(ctx context.Context) error {
		for name, running := range u.running {
			select {
			case <-running.Ended:
				return final{fmt.Errorf("%s ended (%w); its log %s ends with:\n%s", name, running.Err(), u.Layout.Log(name), tail(u.Layout.Log(name)))}
			default:
			}
		}
		if err := ready(ctx); err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		return nil
	})
}

func (u *upping) awaitComponents(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := u.await(ctx, name, healthCheck(u.Layout, u.plan.server(), name)); err != nil {
			return err
		}
	}
	return nil
}

// tailSize is how much of a log is shown when its component ended, in bytes.
const tailSize = 2000

func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(raw) > tailSize {
		raw = raw[len(raw)-tailSize:]
	}
	return strings.TrimSpace(string(raw))
}
