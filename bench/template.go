package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// rendering is one chart, as it was measured.
type rendering struct {
	name string
	size int
	row  *row
}

// template renders every chart of the folder. Charts that Helm itself renders
// differently each time (they generate keys) are left out.
func (b *bench) template(ctx context.Context) ([]row, error) {
	archives, err := filepath.Glob(filepath.Join(b.charts, "*.tgz"))
	if b.charts == "" || err != nil || len(archives) == 0 {
		return nil, leftOut("no charts: set PINTLE_CHARTS to a folder of archives")
	}
	var all []rendering
	var random, differ, refused []string
	for _, a := range archives {
		name := strings.TrimSuffix(filepath.Base(a), ".tgz")
		same, size, err := b.sameOutput(ctx, a)
		if err != nil {
			refused = append(refused, name)
			continue
		}
		switch same {
		case generates:
			random = append(random, name)
			continue
		case different:
			differ = append(differ, name)
		}
		r := newRow("template "+name, "render a public chart")
		if err := b.turns(ctx, b.peers(1), 3, func(at turn) error { // Helm 3 refuses charts for want of a Kubernetes version
			s, err := b.timed(ctx, at.tool, "template", "r", a)
			r.add(at, s)
			return err
		}); err != nil {
			return nil, err
		}
		all = append(all, rendering{name, size, r})
	}
	if len(all) == 0 {
		return nil, leftOut("no chart could be rendered")
	}
	fmt.Fprintf(os.Stderr, "  left out: %d that generate keys, %d that need values\n", len(random), len(refused))
	note := fmt.Sprintf("output identical for %d of %d", len(all)-len(differ), len(all))
	if len(differ) > 0 {
		note += ", not for " + strings.Join(differ, ", ")
	}
	return chosen(all, note), nil
}

// sameness is how two renderings compare.
type sameness int

const (
	identical sameness = iota
	different
	generates
)

// sameOutput compares what pintle and Helm render, and Helm with itself.
func (b *bench) sameOutput(ctx context.Context, archive string) (sameness, int, error) {
	var outputs [3][]byte
	for i, t := range []tool{b.tools[1], b.tools[1], b.tools[0]} {
		_, out, err := b.exec(ctx, b.kubeconfig, t, "template", "r", archive)
		if err != nil {
			return 0, 0, err
		}
		outputs[i] = out
	}
	switch {
	case !bytes.Equal(outputs[0], outputs[1]):
		return generates, 0, nil
	case !bytes.Equal(outputs[0], outputs[2]):
		return different, len(outputs[0]), nil
	}
	return identical, len(outputs[0]), nil
}

// chosen are the smallest, the middle and the largest chart by what they
// render, and the one with the median ratio, for all.
func chosen(all []rendering, note string) []row {
	slices.SortFunc(all, func(a, b rendering) int { return a.size - b.size })
	pick := func(at rendering, size string) row {
		r := *at.row
		r.Scenario = fmt.Sprintf("template, %s: %s (%d kB)", size, shortName(at.name), at.size/1000)
		return r
	}
	out := []row{pick(all[0], "small"), pick(all[len(all)/2], "medium"), pick(all[len(all)-1], "large")}
	slices.SortFunc(all, func(a, b rendering) int {
		if a.row.wall("pintle") < b.row.wall("pintle") {
			return -1
		}
		return 1
	})
	middle := *all[len(all)/2].row
	middle.Scenario, middle.Note = fmt.Sprintf("template, the median of %d charts", len(all)), note
	return append(out, middle)
}

// shortName is the chart's own name in that of its file.
func shortName(name string) string {
	parts := strings.Split(name, "__")
	return parts[len(parts)-1]
}
