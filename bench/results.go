package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result is what latest.json holds.
type result struct {
	Version int       `json:"version"`
	Date    time.Time `json:"date"`
	Machine string    `json:"machine"`
	Rows    []row     `json:"rows"`
}

// write writes the result as JSON, as a Markdown table and as a picture.
func write(dir string, rows []row) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(result{
		Version: 1, Date: time.Now().UTC().Truncate(time.Second),
		Machine: fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version()), Rows: rows,
	}, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "latest.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "latest.md"), []byte(table(rows)), 0o644); err != nil {
		return err
	}
	return picture(filepath.Join(dir, "latest.svg"), rows)
}

// table has a line for each scenario and tool, with ratios to Helm 4.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| scenario | tool | wall (median, min to max) | ratio | CPU | peak memory | requests |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		for _, name := range []string{"pintle", "helm", "helm3"} {
			samples := r.Samples[name]
			if len(samples) == 0 {
				continue
			}
			least, most := extremes(samples)
			requests := "-"
			if n, ok := r.Requests[name]; ok {
				requests = fmt.Sprint(n)
			}
			fmt.Fprintf(&b, "| %s | %s | %s (%s to %s) | %s | %s | %d MB | %s |\n", r.Scenario, name,
				round(median(samples, wallOf)), round(least), round(most), ratio(r, name), round(median(samples, cpuOf)),
				median(samples, rssOf)>>20, requests)
		}
	}
	return b.String()
}

// ratioOf is a tool's wall time over that of Helm 4; 0 without one.
func ratioOf(r row, name string) float64 {
	helm, own := median(r.Samples["helm"], wallOf), median(r.Samples[name], wallOf)
	if helm == 0 {
		return 0
	}
	return float64(own) / float64(helm)
}

func ratio(r row, name string) string { return fmt.Sprintf("%.2f", ratioOf(r, name)) }

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}

// middle is the row with the median ratio, named as the median of all.
func middle(rows []row, name string) row {
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, func(a, b row) int {
		if ratioOf(a, name) < ratioOf(b, name) {
			return -1
		}
		return 1
	})
	if len(sorted) == 0 {
		return *newRow("template", "no charts")
	}
	m := sorted[len(sorted)/2]
	m.Scenario = fmt.Sprintf("template, the median of %d charts", len(rows))
	return m
}
