package chart

import (
	"fmt"

	"helm.sh/helm/v4/pkg/chart/common/util"
)

// ValuesPolicy says what an upgrade does with the values of the release that
// it replaces.
type ValuesPolicy int

// The policies of Helm's upgrade.
const (
	// KeepIfNone, what Helm does without a flag: the user's old values are
	// kept when no new ones are given, and dropped when any are.
	KeepIfNone ValuesPolicy = iota
	// ResetValues (--reset-values) drops the old values.
	ResetValues
	// ReuseValues (--reuse-values) merges new values into the user's old ones
	// and goes on with the defaults of the old chart.
	ReuseValues
	// ResetThenReuseValues (--reset-then-reuse-values) merges new values into
	// the user's old ones over the defaults of the new chart.
	ResetThenReuseValues
)

// Previous is the release that an upgrade replaces: the deployed one, or the
// last one when none is deployed.
type Previous struct {
	Chart  *Chart
	Config map[string]any
}

// CarryOver returns the chart and the user's values to render an upgrade
// with. The chart differs from the given one in its defaults, under
// ReuseValues only. Nothing that is passed in is changed.
func CarryOver(c *Chart, values map[string]any, old Previous, policy ValuesPolicy) (*Chart, map[string]any, error) {
	switch policy {
	case ResetValues:
		return c, values, nil
	case ReuseValues:
		defaults, err := util.CoalesceValues(old.Chart.helm, old.Config)
		if err != nil {
			return nil, nil, fmt.Errorf("rebuilding the values of the previous release: %w", err)
		}
		reused := clone(c.helm)
		reused.Values = defaults
		return &Chart{helm: reused, warnings: c.warnings}, mergeTables(values, old.Config), nil
	case ResetThenReuseValues:
		return c, mergeTables(values, old.Config), nil
	default:
		if len(values) == 0 && len(old.Config) > 0 {
			return c, old.Config, nil
		}
		return c, values, nil
	}
}

// mergeTables puts values over old ones. Helm's function changes both of its
// arguments, so it is given copies.
func mergeTables(values, old map[string]any) map[string]any {
	return util.CoalesceTables(copyTable(values), copyTable(old))
}

// copyTable copies maps and lists, however deep; other values are shared.
func copyTable(table map[string]any) map[string]any {
	if table == nil {
		return nil
	}
	out := make(map[string]any, len(table))
	for key, value := range table {
		out[key] = copyValue(value)
	}
	return out
}

func copyValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return copyTable(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = copyValue(v[i])
		}
		return out
	default:
		return value
	}
}
