package main

import (
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// picture draws wall time as a share of Helm 4's, a bar for each scenario.
func picture(path string, rows []row) error {
	p := plot.New()
	p.Title.Text = "pintle's wall time, as a share of Helm 4's (1 = as slow)"
	p.X.Min, p.X.Max = 0, 1.1
	var values plotter.Values
	var names []string
	for _, r := range slices.Backward(rows) {
		if len(r.Samples["pintle"]) == 0 || len(r.Samples["helm"]) == 0 {
			continue
		}
		v := ratioOf(r, "pintle")
		values = append(values, v)
		names = append(names, fmt.Sprintf("%s  %.2f", r.Scenario, v))
	}
	if len(values) == 0 {
		return nil
	}
	bars, err := plotter.NewBarChart(values, vg.Points(11))
	if err != nil {
		return err
	}
	bars.Horizontal, bars.Color, bars.LineStyle.Width = true, color.RGBA{R: 0x2f, G: 0x6f, B: 0xb5, A: 0xff}, 0
	helm, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(values)) - 0.5}})
	if err != nil {
		return err
	}
	helm.Color = color.Gray{Y: 0x80}
	p.Add(bars, helm)
	p.NominalY(names...)
	return p.Save(22*vg.Centimeter, vg.Length(len(values)+3)*0.75*vg.Centimeter, path)
}
