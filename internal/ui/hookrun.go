package ui

import (
	"fmt"
	"io"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// hookRuns is `hooks run -o json`; docs/formats/hooks.md describes it.
type hookRuns struct {
	Version   int            `json:"version"`
	Release   string         `json:"release"`
	Namespace string         `json:"namespace"`
	Revision  int            `json:"revision"`
	Passed    bool           `json:"passed"`
	Runs      []namedHookRun `json:"runs"`
}

type namedHookRun struct {
	Hook   string `json:"hook"`
	Object string `json:"object"`
	HookRun
}

// WriteHookRuns writes what `hooks run` ran, as JSON or YAML: all attempts, and
// what came along with the hook. It passed when no last attempt failed.
func WriteHookRuns(w io.Writer, rec *release.Release, runs []ledger.Run, f Format) error {
	out := hookRuns{Version: hooksVersion, Release: rec.Name, Namespace: rec.Namespace, Revision: rec.Revision, Passed: true, Runs: []namedHookRun{}}
	last := map[object.Key]release.Phase{}
	for _, r := range runs {
		out.Runs = append(out.Runs, namedHookRun{Hook: r.Hook, Object: r.Object.String(), HookRun: hookRun(r)})
		last[r.Object.Key()] = r.Phase
	}
	for _, phase := range last {
		out.Passed = out.Passed && phase == release.PhaseSucceeded
	}
	return WriteAs(w, f, out, nil)
}

// cleaned is `hooks clean -o json`.
type cleaned struct {
	Version int    `json:"version"`
	Release string `json:"release"`
	// Removed were finished Jobs and Pods; Left are other objects of hooks, and
	// Jobs and Pods that still run.
	Removed []string `json:"removed"`
	Left    []string `json:"left"`
}

// WriteCleaned writes what a plan of `hooks clean` was about.
func WriteCleaned(w io.Writer, p *plan.Plan, f Format) error {
	out := cleaned{Version: hooksVersion, Release: p.Release, Removed: []string{}, Left: []string{}}
	for _, s := range p.Steps {
		switch a := s.Action.(type) {
		case plan.Delete:
			out.Removed = append(out.Removed, a.Ref.String())
		case plan.Keep:
			out.Left = append(out.Left, a.Ref.String())
		}
	}
	return WriteAs(w, f, out, func() string {
		if len(out.Removed)+len(out.Left) == 0 {
			return fmt.Sprintf("The hooks of release %q have left nothing behind.\n", p.Release)
		}
		return fmt.Sprintf("Removed %d and left %d of the objects that hooks of release %q have made.\n", len(out.Removed), len(out.Left), p.Release)
	})
}
