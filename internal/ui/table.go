package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// tabular lays rows out as Helm's tables are, byte for byte: each cell padded
// to its column, the last one too, with a tab between two. A cell of several
// lines makes several lines of its row. The text ends with a newline even when
// there is no row.
func tabular(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			for _, part := range strings.Split(cell, "\n") {
				widths[i] = max(widths[i], ansi.StringWidth(part))
			}
		}
	}
	var lines []string
	for _, row := range rows {
		lines = append(lines, rowLines(row, widths)...)
	}
	return strings.Join(lines, "\n") + "\n"
}

func rowLines(row []string, widths []int) []string {
	height := 1
	cells := make([][]string, len(row))
	for i, cell := range row {
		cells[i] = strings.Split(cell, "\n")
		height = max(height, len(cells[i]))
	}
	lines := make([]string, height)
	for y := range lines {
		parts := make([]string, len(row))
		for i := range row {
			text := ""
			if y < len(cells[i]) {
				text = cells[i][y]
			}
			parts[i] = pad(text, widths[i])
		}
		lines[y] = strings.Join(parts, "\t")
	}
	return lines
}

// columns lays rows out as kubectl does: three spaces between columns, no
// space at the end.
func columns(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		parts := make([]string, len(row))
		for i, cell := range row {
			parts[i] = pad(cell, widths[i])
		}
		b.WriteString(strings.TrimRight(strings.Join(parts, "   "), " "))
		b.WriteByte('\n')
	}
	return b.String()
}
