package main

import (
	"bytes"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var colors = map[string]color.Color{
	"pintle": color.RGBA{R: 0x2f, G: 0x6f, B: 0xb5, A: 0xff}, "helm": color.RGBA{R: 0x99, G: 0x99, B: 0x99, A: 0xff},
}

// pictures draws what there is to draw.
func (r *results) pictures() error {
	if err := bars(filepath.Join(r.dir, "latest.svg"), r.Rows); err != nil {
		return err
	}
	for _, kind := range sizes {
		if found := kind.curves(r.Rows); len(found) > 0 {
			if err := kind.draw(filepath.Join(r.dir, "size-"+kind.file+".svg"), found); err != nil {
				return err
			}
		}
	}
	return nil
}

// bars draws wall time as a share of Helm 4's, a bar for each row.
func bars(path string, rows []row) error {
	p := plot.New()
	p.Title.Text = "Pintle's time as a share of Helm 4.3's"
	p.X.Label.Text = "1 = as long as Helm; shorter is faster"
	p.X.Min = 0
	var values plotter.Values
	var names []string
	most := 1.1
	for _, r := range slices.Backward(rows) {
		v := r.wall("pintle")
		if v == 0 || r.Size > 0 && r.Series == "list" {
			continue
		}
		most = max(most, v)
		values = append(values, v)
		names = append(names, fmt.Sprintf("%s  %.2f", r.Scenario, v))
	}
	if len(values) == 0 {
		return nil
	}
	p.X.Max = most
	chart, err := plotter.NewBarChart(values, vg.Points(11))
	if err != nil {
		return err
	}
	chart.Horizontal, chart.Color, chart.LineStyle.Width = true, colors["pintle"], 0
	helm, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(values)) - 0.5}})
	if err != nil {
		return err
	}
	helm.Color = colors["helm"]
	p.Add(chart, helm)
	p.NominalY(names...)
	return save(p, 22*vg.Centimeter, vg.Length(len(values)+4)*0.7*vg.Centimeter, path)
}

// draw draws curves with their lines.
func (c costs) draw(path string, found []curve) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, c.x, c.y
	p.X.Min, p.Y.Min = 0, 0
	p.Legend.Left, p.Legend.Top = true, true
	for _, at := range found {
		dots, err := plotter.NewScatter(at.points)
		if err != nil {
			return err
		}
		dots.Color, dots.Shape, dots.Radius = colors[at.tool], draw.CircleGlyph{}, vg.Points(3)
		last := at.points[len(at.points)-1].X
		fitted, err := plotter.NewLine(plotter.XYs{{X: 0, Y: at.base}, {X: last, Y: at.base + at.slope*last}})
		if err != nil {
			return err
		}
		fitted.Color = colors[at.tool]
		p.Add(dots, fitted)
		p.Legend.Add(fmt.Sprintf("%s, R² %.4f", at.tool, at.r2), dots, fitted)
	}
	return save(p, 14*vg.Centimeter, 9*vg.Centimeter, path)
}

// save writes a picture whose letters are as wide as they were reckoned where
// Liberation Serif is not to be had: Times has the same measures.
func save(p *plot.Plot, width, height vg.Length, path string) error {
	if err := p.Save(width, height, path); err != nil {
		return err
	}
	drawn, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const font = "font-family:Liberation Serif"
	return os.WriteFile(path, bytes.ReplaceAll(drawn, []byte(font+";"), []byte(font+",Times New Roman,Times,serif;")), 0o644)
}
