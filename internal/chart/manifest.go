package chart

import (
	"path"
	"slices"
	"strings"
)

// notesSuffix ends the path of a template that gives notes and no objects.
const notesSuffix = "NOTES.txt"

// takeNotes removes all notes from the files and returns those of the chart,
// and of its subcharts if asked, joined by an empty line. Helm joins them in
// random order; here the chart's own come first.
func takeNotes(files map[string]string, chartName string, subcharts bool) string {
	own := path.Join(chartName, "templates", notesSuffix)
	var paths []string
	for name := range files {
		if strings.HasSuffix(name, notesSuffix) {
			paths = append(paths, name)
		}
	}
	slices.SortFunc(paths, func(a, b string) int {
		if (a == own) != (b == own) {
			return map[bool]int{true: -1, false: 1}[a == own]
		}
		return strings.Compare(a, b)
	})
	var notes strings.Builder
	for _, name := range paths {
		if name == own || subcharts {
			if notes.Len() > 0 {
				notes.WriteString("\n")
			}
			notes.WriteString(files[name])
		}
		delete(files, name)
	}
	return notes.String()
}

// manifest writes documents as a release record stores them.
func manifest(docs []Document) string {
	size := 0
	for _, d := range docs {
		size += len(d.Source) + len(d.Text) + len("---\n# Source: \n\n")
	}
	var b strings.Builder
	b.Grow(size)
	for _, d := range docs {
		writeDocument(&b, d.Source, d.Text)
	}
	return b.String()
}

func writeDocument(b *strings.Builder, source, text string) {
	b.WriteString("---\n# Source: ")
	b.WriteString(source)
	b.WriteString("\n")
	b.WriteString(text)
	b.WriteString("\n")
}
