package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/spf13/pflag"
)

// limitFlags bound what a chart may take and where it may reach. Every command
// that reads charts has them.
type limitFlags struct {
	limits     []string
	linkRoots  []string
	renderTime time.Duration
	// given tells whether the flag was.
	given func() bool
}

func (l *limitFlags) add(f *pflag.FlagSet) {
	l.addLimits(f)
	f.StringArrayVar(&l.linkRoots, "link-root", nil, "links in a chart's folder may lead into this folder too (repeatable; also in $PINTLE_LINK_ROOTS)")
}

// addLimits is for commands that read archives only.
func (l *limitFlags) addLimits(f *pflag.FlagSet) {
	f.StringArrayVar(&l.limits, "limit", nil, "raise or lower a limit on charts and values: chart-size=200Mi (repeatable; also in $PINTLE_LIMITS)")
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

// addRender adds what bounds the rendering too.
func (l *limitFlags) addRender(f *pflag.FlagSet) {
	l.add(f)
	f.DurationVar(&l.renderTime, "render-timeout", 0, "limit for what templates do, in a process of its own that can be stopped; 0 means none, in this process (also in $PINTLE_RENDER_TIMEOUT)")
	l.given = func() bool { return f.Changed("render-timeout") }
}

// templateServer is the argument with which this binary renders a chart for
// another process of it: see chart.ServeTemplates. It is no command of anybody's.
const templateServer = "__render-templates"

// render sets what bounds a rendering.
func (l *limitFlags) render(env Env, open chart.OpenOptions, opts *chart.RenderOptions) error {
	opts.Limits = open.Limits
	timeout := l.renderTime
	if text := env.text("PINTLE_RENDER_TIMEOUT"); text != "" && !l.given() {
		var err error
		if timeout, err = time.ParseDuration(text); err != nil {
			return asUsage(fmt.Errorf("PINTLE_RENDER_TIMEOUT: %w", err))
		}
	}
	switch {
	case timeout < 0:
		return asUsage(fmt.Errorf("--render-timeout is %s: it must not be negative", timeout))
	case timeout == 0:
		return nil
	}
	self, err := ownBinary()
	if err != nil {
		return fmt.Errorf("--render-timeout needs to start this program again: %w", err)
	}
	opts.Confine = chart.Confinement{Timeout: timeout, Command: []string{self, templateServer}}
	return nil
}

// ownBinary is the file of this program. Where the system has a link to it,
// that stays right when a newer version is put in its place.
func ownBinary() (string, error) {
	const link = "/proc/self/exe"
	if _, err := os.Stat(link); err == nil {
		return link, nil
	}
	return os.Executable()
}
