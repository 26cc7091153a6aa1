package main

import (
	"fmt"
	"strings"
	"time"
)

// page is the whole result in Markdown.
func (r *results) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, on %s.\n\n", r.Date.Format("2006-01-02"), r.Machine)
	b.WriteString(aims(r.Rows))
	b.WriteString("\n")
	b.WriteString(table(r.Rows))
	b.WriteString("\n")
	b.WriteString(lines(r.Rows))
	return b.String()
}

// table has a line for each row and tool, with ratios to Helm 4.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| scenario | tool | rounds | wall (median, min to max) | ratio | CPU | anonymous memory | ratio | requests |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		if len(r.Samples) == 0 {
			fmt.Fprintf(&b, "| %s | - | - | %s | | | | | |\n", r.Scenario, cell(r.Note))
			continue
		}
		for _, name := range []string{"pintle", "helm", "helm3", "floor"} {
			if len(r.Samples[name]) > 0 {
				b.WriteString(line(r, name))
			}
		}
	}
	return b.String()
}

func line(r row, name string) string {
	samples := r.Samples[name]
	least, most := extremes(samples)
	requests := "-"
	if n, ok := r.Requests[name]; ok {
		requests = fmt.Sprint(n)
	}
	cpu, peak, share := "-", "-", "-"
	if c := median(samples, cpuOf); c > 0 {
		cpu = round(c).String()
	}
	if p := median(samples, peakOf); p > 0 {
		peak, share = fmt.Sprintf("%.1f MB", float64(p)/1e6), fmt.Sprintf("%.2f", r.peak(name))
	}
	title := r.Scenario
	if r.Note != "" && name == "pintle" {
		title += " (" + r.Note + ")"
	}
	return fmt.Sprintf("| %s | %s | %d | %s (%s to %s) | %.2f | %s | %s | %s | %s |\n", cell(title), name, len(samples),
		round(median(samples, wallOf)), round(least), round(most), r.wall(name), cpu, peak, share, requests)
}

func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

func round(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	default:
		return d.Round(100 * time.Microsecond)
	}
}

// aim is a ratio to Helm 4 that is not to be exceeded.
type aim struct {
	scenario, what string
	most           float64
	of             func(row) float64
}

func ofWall(r row) float64 { return r.wall("pintle") }
func ofPeak(r row) float64 { return r.peak("pintle") }

// targets are those that Pintle has set itself.
var targets = []aim{
	{"version", "wall", 0.6, ofWall},
	{"version", "anonymous memory", 0.8, ofPeak},
	{"version", "binary, stripped", 0.85, func(r row) float64 { return share(r.Binary["pintle"], r.Binary["helm"]) }},
	{"template, the median", "wall", 0.55, ofWall},
	{"install 200 ConfigMaps", "wall", 0.35, ofWall},
	{"upgrade, unchanged 200 ConfigMaps", "wall", 0.08, ofWall},
	{"upgrade, changed 200 ConfigMaps", "wall", 0.20, ofWall},
	{"upgrade, changed 200 ConfigMaps", "requests for each changed object", 1.1, func(r row) float64 { return share(r.Requests["pintle"], 200) }},
	{"uninstall 200 ConfigMaps", "wall", 0.5, ofWall},
	{"hook to hook, 5 hooks", "wall", 0.15, ofWall},
	{"hook to hook, 20 hooks", "wall", 0.15, ofWall},
	{"list, records by helm", "wall", 0.25, ofWall},
	{"list, records by helm", "anonymous memory", 0.25, ofPeak},
	{"list, records by pintle", "wall", 0.05, ofWall},
	{"list, records by pintle", "anonymous memory", 0.15, ofPeak},
	{"readiness noticed", "wall", 0.3, ofWall},
	{"install 5000 ConfigMaps", "wall", 0.3, ofWall},
	{"upgrade, unchanged 5000 ConfigMaps", "wall", 0.3, ofWall},
	{"uninstall 5000 ConfigMaps", "wall", 0.5, ofWall},
}

func share(own, helm int64) float64 {
	if helm == 0 {
		return 0
	}
	return float64(own) / float64(helm)
}

// aims compares what was measured with the targets.
func aims(rows []row) string {
	var b strings.Builder
	b.WriteString("| scenario | what | ratio at most | measured | |\n| --- | --- | --- | --- | --- |\n")
	for _, a := range targets {
		for _, r := range rows {
			if !strings.HasPrefix(r.Scenario, a.scenario) {
				continue
			}
			got, verdict := a.of(r), "met"
			switch {
			case got == 0:
				verdict = "not measured"
			case got > a.most:
				verdict = "**missed**"
			}
			fmt.Fprintf(&b, "| %s | %s | %.2f | %.3f | %s |\n", r.Scenario, a.what, a.most, got, verdict)
		}
	}
	return b.String()
}
