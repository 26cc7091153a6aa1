package cli

import (
	"fmt"
	"path"
	"strings"

	"github.com/pintle-dev/pintle/internal/plan"
)

// testFilter is one filter of tests.
type testFilter struct {
	exclude bool
	// field is name, suite or label; key is the label's.
	field, key string
	glob       string
}

// group is what the filter is about: of several about the same, one must match.
func (t testFilter) group() string { return t.field + "/" + t.key }

func (t testFilter) matches(h plan.Hook) bool {
	value := h.Name
	switch t.field {
	case "suite":
		value = h.Steering.Suite
	case "label":
		var set bool
		if value, set = h.Object.GetLabels()[t.key]; !set {
			return false
		}
	}
	ok, _ := path.Match(t.glob, value) // the pattern was checked when it was read
	return ok
}

// testSelector makes a choice of filters: a test runs when, of those that
// include, it matches one of each group, and none of those that exclude. With
// names alone that is Helm's rule.
func testSelector(filters []string) (func(plan.Hook) bool, error) {
	include := map[string][]testFilter{}
	var exclude []testFilter
	for _, text := range filters {
		t, err := parseTestFilter(text)
		if err != nil {
			return nil, asUsage(err)
		}
		if t.exclude {
			exclude = append(exclude, t)
		} else {
			include[t.group()] = append(include[t.group()], t)
		}
	}
	return func(h plan.Hook) bool {
		for _, group := range include {
			if !anyMatches(group, h) {
				return false
			}
		}
		return !anyMatches(exclude, h)
	}, nil
}

func anyMatches(filters []testFilter, h plan.Hook) bool {
	for _, t := range filters {
		if t.matches(h) {
			return true
		}
	}
	return false
}

// parseTestFilter reads name=GLOB, suite=GLOB, label=KEY or label=KEY=GLOB, and
// the same with ! before it.
func parseTestFilter(text string) (testFilter, error) {
	rest, exclude := strings.CutPrefix(strings.TrimSpace(text), "!")
	field, glob, found := strings.Cut(strings.TrimSpace(rest), "=")
	t := testFilter{exclude: exclude, field: field, glob: glob}
	switch {
	case !found || glob == "" || field != "name" && field != "suite" && field != "label":
		return t, fmt.Errorf("filter %q must be name=GLOB, suite=GLOB or label=KEY=GLOB, with ! before it to exclude", text)
	case field == "label":
		if t.key, t.glob, found = strings.Cut(glob, "="); !found {
			t.glob = "*"
		}
	}
	if _, err := path.Match(t.glob, ""); err != nil {
		return t, fmt.Errorf("filter %q is not a pattern: %w", text, err)
	}
	return t, nil
}
