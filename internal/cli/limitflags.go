package cli

import (
	"fmt"
	"path/filepath"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/spf13/pflag"
)

// limitFlags bound what a chart may take and where it may reach. Every command
// that reads charts has them.
type limitFlags struct {
	limits    []string
	linkRoots []string
}

func (l *limitFlags) add(f *pflag.FlagSet) {
	f.StringArrayVar(&l.limits, "limit", nil, "raise or lower a limit on charts and values: chart-size=200Mi (repeatable; also in $PINTLE_LIMITS)")
	f.StringArrayVar(&l.linkRoots, "link-root", nil, "links in a chart's folder may lead into this folder too (repeatable; also in $PINTLE_LINK_ROOTS)")
}

// open are the options for opening a chart. What flags set goes over what the
// environment does.
func (l *limitFlags) open(env Env) (chart.OpenOptions, error) {
	var opts chart.OpenOptions
	if err := opts.Limits.Set(env.text("PINTLE_LIMITS")); err != nil {
		return opts, asUsage(fmt.Errorf("PINTLE_LIMITS: %w", err))
	}
	for _, text := range l.limits {
		if err := opts.Limits.Set(text); err != nil {
			return opts, asUsage(fmt.Errorf("--limit: %w", err))
		}
	}
	opts.LinkRoots = append(filepath.SplitList(env.text("PINTLE_LINK_ROOTS")), l.linkRoots...)
	return opts, nil
}
