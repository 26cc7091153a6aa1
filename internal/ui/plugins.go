package ui

import "io"

// PluginRow is one plugin in `plugin list`.
type PluginRow struct{ Name, Version, Type, Form, Provenance, Source string }

// WritePlugins writes the table of `plugin list`, with Helm's columns.
func WritePlugins(w io.Writer, rows []PluginRow) error {
	cells := [][]string{{"NAME", "VERSION", "TYPE", "APIVERSION", "PROVENANCE", "SOURCE"}}
	for _, r := range rows {
		source := r.Source
		if source == "" {
			source = "unknown"
		}
		cells = append(cells, []string{r.Name, r.Version, r.Type, r.Form, r.Provenance, source})
	}
	_, err := io.WriteString(w, tabular(cells))
	return err
}
