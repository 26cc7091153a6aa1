package chart

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"k8s.io/apimachinery/pkg/api/resource"
)

// LimitName names a bound on what a chart or its values may take, as --limit
// takes it.
type LimitName string

// The limits. Sizes are in bytes.
const (
	// LimitArchiveSize is for an archive as it is stored or fetched.
	LimitArchiveSize LimitName = "archive-size"
	// LimitChartFiles is for the files of a chart with its subcharts, those in
	// archives of charts/ included.
	LimitChartFiles LimitName = "chart-files"
	// LimitChartSize is for the same files, unpacked, together.
	LimitChartSize LimitName = "chart-size"
	// LimitFileSize is for one of these files.
	LimitFileSize LimitName = "file-size"
	// LimitValuesSize is for one file, URL or stream of values.
	LimitValuesSize LimitName = "values-size"
	// LimitOutputFile is for what one template renders, LimitOutputSize for what
	// all of them render together.
	LimitOutputFile LimitName = "output-file"
	LimitOutputSize LimitName = "output-size"
	// LimitRenderMemory is for the memory of the process that renders.
	LimitRenderMemory LimitName = "render-memory"
)

// defaultLimits are far above what charts that work need. That of chart-size
// is Helm's.
var defaultLimits = map[LimitName]int64{
	LimitArchiveSize:  100 << 20,
	LimitChartFiles:   20_000,
	LimitChartSize:    100 << 20,
	LimitFileSize:     32 << 20,
	LimitValuesSize:   16 << 20,
	LimitOutputFile:   32 << 20,
	LimitOutputSize:   100 << 20,
	LimitRenderMemory: 2 << 30,
}

// Limits are bounds on what comes from outside: charts, values, and what
// templates do. The zero value holds the defaults.
type Limits struct{ set map[LimitName]int64 }

// Of is the value of a limit.
func (l Limits) Of(name LimitName) int64 {
	if value, ok := l.set[name]; ok {
		return value
	}
	return defaultLimits[name]
}

// Set changes limits by text: "chart-size=200Mi,chart-files=50000". Whatever it
// can make no sense of is an error, and changes nothing.
func (l *Limits) Set(text string) error {
	changed := maps.Clone(l.set)
	if changed == nil {
		changed = map[LimitName]int64{}
	}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		limit := LimitName(strings.TrimSpace(name))
		if _, known := defaultLimits[limit]; !known {
			return fmt.Errorf("there is no limit %q: it is one of %s", limit, strings.Join(LimitNames(), ", "))
		}
		amount, err := resource.ParseQuantity(strings.TrimSpace(value))
		if err != nil || amount.Sign() <= 0 {
			return fmt.Errorf("limit %s is %q: it must be a number above 0, such as %s", limit, value, quantity(defaultLimits[limit]))
		}
		changed[limit] = amount.Value()
	}
	l.set = changed
	return nil
}

// String lists what was set, as Set takes it.
func (l Limits) String() string {
	parts := make([]string, 0, len(l.set))
	for _, name := range slices.Sorted(maps.Keys(l.set)) {
		parts = append(parts, fmt.Sprintf("%s=%s", name, quantity(l.set[name])))
	}
	return strings.Join(parts, ",")
}

// LimitNames lists all limits, sorted.
func LimitNames() []string {
	names := make([]string, 0, len(defaultLimits))
	for name := range defaultLimits {
		names = append(names, string(name))
	}
	slices.Sort(names)
	return names
}

// exceeded is the problem of something that is above a limit. Summary says
// what, and how much was found.
func (l Limits) exceeded(name LimitName, file, summary string) diag.Problem {
	return diag.Problem{
		Summary: summary, File: file,
		Detail: fmt.Sprintf("the limit %s is %s; if you trust this input, raise it with --limit %s=... or in $PINTLE_LIMITS", name, quantity(l.Of(name)), name),
	}
}

// quantity writes a number as Set takes it, such as 100Mi.
func quantity(n int64) string {
	if n < 1<<20 || n%(1<<20) != 0 {
		return fmt.Sprint(n)
	}
	return resource.NewQuantity(n, resource.BinarySI).String()
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
