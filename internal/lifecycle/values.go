package lifecycle

import (
	"maps"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
)

// valuesReport says what became of the values that the user gave for the
// revision before: names only, since values may be secret. It is empty when
// the old revision had none.
func valuesReport(old, now map[string]any) diag.List {
	before, after := leaves(old), leaves(now)
	var kept, changed, dropped []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		value, still := after[name]
		switch {
		case !still:
			dropped = append(dropped, name)
		case sameValue(value, before[name]):
			kept = append(kept, name)
		default:
			changed = append(changed, name)
		}
	}
	var parts []string
	for _, p := range []struct {
		word  string
		names []string
	}{{"kept", kept}, {"changed", changed}, {"dropped", dropped}} {
		if len(p.names) > 0 {
			parts = append(parts, p.word+" "+strings.Join(p.names, ", "))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return diag.List{{Severity: diag.Note, Summary: "values of the revision before: " + strings.Join(parts, "; ")}}
}

// sameValue compares a value as the user gave it with one that a record kept:
// JSON has one type of number.
func sameValue(a, b any) bool {
	return sameValues(map[string]any{"": a}, map[string]any{"": b})
}

// forgottenValues warns of user values that the old chart's values.yaml knew
// and the new one's does not: they are likely to have no effect any more.
func forgottenValues(now, oldDefaults, newDefaults map[string]any) diag.List {
	var gone []string
	for _, name := range slices.Sorted(maps.Keys(leaves(now))) {
		path := strings.Split(name, ".")
		if knows(oldDefaults, path) && !knows(newDefaults, path) {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return diag.List{{
		Severity: diag.Warning, Summary: "the new chart does not know these values any more: " + strings.Join(gone, ", "),
		Detail: "they were in the old chart's values.yaml and are not in the new one's",
	}}
}

// knows tells that a path leads into the defaults. A default that is empty or
// no mapping leaves open what may come below it.
func knows(defaults map[string]any, path []string) bool {
	for i, name := range path {
		value, ok := defaults[name]
		if !ok {
			return false
		}
		below, mapping := value.(map[string]any)
		if i < len(path)-1 && (!mapping || len(below) == 0) {
			return true
		}
		defaults = below
	}
	return true
}

// leaves lists values by their dotted path. Lists count as one value.
func leaves(values map[string]any) map[string]any {
	out := map[string]any{}
	var walk func(prefix string, m map[string]any)
	walk = func(prefix string, m map[string]any) {
		for k, v := range m {
			if below, ok := v.(map[string]any); ok && len(below) > 0 {
				walk(prefix+k+".", below)
				continue
			}
			out[prefix+k] = v
		}
	}
	walk("", values)
	return out
}

// tellValues reports on an upgrade's values before anything is changed.
func (d *deployment) tellValues(oldConfig, oldDefaults map[string]any) {
	report := valuesReport(oldConfig, d.values)
	report.Add(forgottenValues(d.values, oldDefaults, d.chart.Defaults())...)
	d.service.warn(report...)
}
