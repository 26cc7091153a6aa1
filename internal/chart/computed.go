package chart

import (
	"fmt"

	"helm.sh/helm/v4/pkg/chart/common/util"
)

// Coalesce merges the chart's defaults under the user's values: what templates
// of the chart itself see as .Values, but for what its dependencies bring.
// Neither is changed.
func (c *Chart) Coalesce(values map[string]any) (map[string]any, error) {
	computed, err := util.CoalesceValues(c.helm, copyTable(values))
	if err != nil {
		return nil, fmt.Errorf("merging the chart's defaults into the values: %w", err)
	}
	return computed, nil
}
