package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/plotter"
)

// curve is the cost of one tool against size.
type curve struct {
	tool   string
	points plotter.XYs
	// base and slope are those of the line that fits best, r2 how well it fits:
	// 1 for all points on it.
	base, slope, r2 float64
}

// costs are curves of one kind.
type costs struct {
	title, x, y, file string
	series            string
	of                func(sample) float64
}

func seconds(s sample) float64   { return s.Wall.Seconds() }
func megabytes(s sample) float64 { return float64(s.Peak) / 1e6 }

// sizes are what is looked at against size.
var sizes = []costs{
	{"install: time", "objects", "seconds", "install", "install", seconds},
	{"upgrade, unchanged: time", "objects", "seconds", "unchanged", "upgrade, unchanged", seconds},
	{"install: memory", "objects", "MB", "memory", "install", megabytes},
	{"list: time", "releases of 10 revisions", "seconds", "list", "list", seconds},
}

// curves are those of the tools for which there are three sizes or more.
func (c costs) curves(rows []row) []curve {
	var out []curve
	for _, name := range []string{"pintle", "helm"} {
		at := curve{tool: name}
		for _, r := range rows {
			if r.Series != c.series || r.Size == 0 || len(r.Samples[name]) == 0 {
				continue
			}
			var values []float64
			for _, s := range r.Samples[name] {
				values = append(values, c.of(s))
			}
			slices.Sort(values)
			at.points = append(at.points, plotter.XY{X: float64(r.Size), Y: values[len(values)/2]})
		}
		if len(at.points) < 3 {
			continue
		}
		slices.SortFunc(at.points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		at.fit()
		out = append(out, at)
	}
	return out
}

// fit finds the line with the least squares.
func (c *curve) fit() {
	var xs, ys []float64
	for _, p := range c.points {
		xs, ys = append(xs, p.X), append(ys, p.Y)
	}
	c.base, c.slope = stat.LinearRegression(xs, ys, nil, false)
	c.r2 = stat.RSquared(xs, ys, nil, c.base, c.slope)
}

// lines says in a table how well a line fits each curve.
func lines(rows []row) string {
	var b strings.Builder
	b.WriteString("| cost against size | tool | points | a line | R² |\n| --- | --- | --- | --- | --- |\n")
	for _, kind := range sizes {
		for _, c := range kind.curves(rows) {
			var points []string
			for _, p := range c.points {
				points = append(points, fmt.Sprintf("%.0f: %.3g", p.X, p.Y))
			}
			fmt.Fprintf(&b, "| %s (%s, %s) | %s | %s | %.3g + %.3g for each 1,000 | %.4f |\n",
				kind.title, kind.x, kind.y, c.tool, strings.Join(points, ", "), c.base, 1000*c.slope, c.r2)
		}
	}
	return b.String()
}
