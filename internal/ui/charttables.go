package ui

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// RepositoryRow is a chart repository in a list.
type RepositoryRow struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// WriteRepositories lists chart repositories as Helm does.
func WriteRepositories(w io.Writer, rows []RepositoryRow, f Format, noHeaders bool) error {
	return WriteAs(w, f, rows, func() string {
		var cells [][]string
		if !noHeaders {
			cells = append(cells, []string{"NAME", "URL"})
		}
		for _, r := range rows {
			cells = append(cells, []string{r.Name, r.URL})
		}
		return tabular(cells)
	})
}

// ChartRow is a chart in the result of a search.
type ChartRow struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	AppVersion  string `json:"app_version"`
	Description string `json:"description"`
}

// WriteCharts lists charts that were found, as Helm does. Columns are no wider
// than width; 0 means as wide as needed.
func WriteCharts(w io.Writer, rows []ChartRow, f Format, width int) error {
	if rows == nil {
		rows = []ChartRow{} // an empty array, not null
	}
	return WriteAs(w, f, rows, func() string {
		if len(rows) == 0 {
			return "No results found\n"
		}
		cells := [][]string{{"NAME", "CHART VERSION", "APP VERSION", "DESCRIPTION"}}
		for _, r := range rows {
			cells = append(cells, []string{r.Name, r.Version, r.AppVersion, r.Description})
		}
		return tabular(cut(cells, width))
	})
}

// DependencyTable lays out the dependencies of a chart as Helm does, with an
// empty line after them.
func DependencyTable(rows [][]string, width int) string {
	return tabular(cut(append([][]string{{"NAME", "VERSION", "REPOSITORY", "STATUS"}}, rows...), width))
}

// cut shortens cells that are wider than a column may be, with dots at the end.
func cut(rows [][]string, width int) [][]string {
	if width <= 0 {
		return rows
	}
	for _, row := range rows {
		for i, cell := range row {
			if ansi.StringWidth(cell) > width {
				row[i] = ansi.Truncate(cell, max(width-3, 1), "") + strings.Repeat(".", 3)
			}
		}
	}
	return rows
}
