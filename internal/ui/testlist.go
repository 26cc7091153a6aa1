package ui

import (
	"fmt"
	"io"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// testList is `pintle test --list -o json`; docs/formats/test-results.md
// describes it.
type testList struct {
	Version   int        `json:"version"`
	Release   string     `json:"release"`
	Namespace string     `json:"namespace"`
	Revision  int        `json:"revision"`
	Tests     []testItem `json:"tests"`
}

type testItem struct {
	// Order is the same for tests that may run at the same time.
	Order  int    `json:"order"`
	Name   string `json:"name"`
	Object string `json:"object"`
	Kind   string `json:"-"`
	// Test is false for objects that tests need, such as a ConfigMap.
	Test   bool   `json:"test"`
	Suite  string `json:"suite,omitempty"`
	Weight int    `json:"weight"`
	// TimeoutSeconds is 0 for none.
	TimeoutSeconds float64 `json:"timeoutSeconds"`
	Retries        int     `json:"retries"`
}

// WriteTestList writes the tests that a plan would run, in their order, and
// what they need.
func WriteTestList(w io.Writer, p *plan.Plan, f Format) error {
	list := testListOf(p)
	return WriteAs(w, f, list, func() string {
		rows := [][]string{{"ORDER", "TEST", "KIND", "SUITE", "WEIGHT", "TIMEOUT", "RETRIES"}}
		for _, t := range list.Tests {
			timeout, retries := "none", fmt.Sprint(t.Retries)
			if t.TimeoutSeconds > 0 {
				timeout = seconds(t.TimeoutSeconds).String()
			}
			if !t.Test {
				timeout, retries = "-", "-"
			}
			rows = append(rows, []string{fmt.Sprint(t.Order), t.Name, t.Kind, t.Suite, fmt.Sprint(t.Weight), timeout, retries})
		}
		return columns(rows)
	})
}

func testListOf(p *plan.Plan) testList {
	list := testList{Version: testResultVersion, Release: p.Release, Namespace: p.Namespace, Revision: p.Revision, Tests: []testItem{}}
	order, stage := 0, -1
	for _, s := range p.Steps {
		a, ok := s.Action.(plan.RunHook)
		if !ok || a.Event != release.Test {
			continue
		}
		if s.Stage != stage {
			order, stage = order+1, s.Stage
		}
		ref := object.RefOf(a.Object)
		item := testItem{Order: order, Name: a.Hook.Name, Object: ref.String(), Kind: ref.Kind, Test: runs(ref), Suite: a.Suite, Weight: a.Hook.Weight}
		if item.Test {
			item.TimeoutSeconds, item.Retries = a.Timeout.Seconds(), a.Retries
		}
		list.Tests = append(list.Tests, item)
	}
	return list
}
