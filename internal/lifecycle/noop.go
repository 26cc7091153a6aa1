package lifecycle

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// nothingToDo tells that an upgrade would repeat the deployed revision: chart,
// values and rendered objects are the same, hooks included, and no live object
// has drifted in the fields that we own.
func nothingToDo(p *plan.Plan, current, next *release.Release) bool {
	if current == nil || current.Info.Status != release.Deployed || current.Revision != next.Revision-1 {
		return false
	}
	for _, s := range p.Steps {
		switch a := s.Action.(type) {
		case plan.Apply:
			if a.Change != plan.Unchanged {
				return false
			}
		case plan.Delete:
			return false
		}
	}
	return current.Manifest == next.Manifest && sameHooks(current.Hooks, next.Hooks) &&
		sameValues(current.Config, next.Config) && sameJSON(current.Chart, next.Chart)
}

func sameHooks(a, b []*release.Hook) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Path != b[i].Path || a[i].Manifest != b[i].Manifest {
			return false
		}
	}
	return true
}

// sameValues compares values as a record keeps them: numbers have one type there.
func sameValues(a, b map[string]any) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	first, errA := json.Marshal(a)
	second, errB := json.Marshal(b)
	return errA == nil && errB == nil && sameJSON(first, second)
}

func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var first, second any
	return json.Unmarshal(a, &first) == nil && json.Unmarshal(b, &second) == nil && reflect.DeepEqual(first, second)
}
