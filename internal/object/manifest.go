package object

import (
	"strings"
	"unicode"
)

// Document is one YAML document of a manifest, exactly as it was written.
type Document struct {
	// Source is the template that rendered the document, such as
	// "chart/templates/job.yaml"; empty when nothing says so.
	Source string
	// Line is the 1-based line of the first line of Text in what was split.
	Line int
	// Text starts at the first character that is not white space and ends where
	// the next separator begins.
	Text string
}

// sourcePrefix heads each document of a release's manifest.
const sourcePrefix = "# Source: "

// Split cuts a manifest into its documents, in order. The rules are those of
// Helm 4.3: three dashes at the start of a line separate, whatever follows
// them on that line belongs to the next document, and documents of nothing but
// white space are dropped. Source is read from the comment that Helm and Pintle put at
// the head of each document of a release's manifest.
func Split(manifest string) []Document {
	docs := SplitFile("", manifest)
	for i := range docs {
		if rest, ok := strings.CutPrefix(docs[i].Text, sourcePrefix); ok {
			path, _, _ := strings.Cut(rest, "\n")
			docs[i].Source = strings.TrimSpace(path)
		}
	}
	return docs
}

// SplitFile is Split for what one template rendered: every document gets the
// given source, and Line counts lines of that file's output.
func SplitFile(source, text string) []Document {
	var docs []Document
	line := 1
	rest, skipped := trimStart(text)
	line += skipped
	for first := true; ; first = false {
		if first {
			rest = trimSeparator(rest)
		}
		part, next, more := cutAtSeparator(rest)
		trimmed, skipped := trimStart(part)
		if trimmed != "" {
			docs = append(docs, Document{Source: source, Line: line + skipped, Text: trimmed})
		}
		if !more {
			return docs
		}
		line += strings.Count(part, "\n")
		rest = next
	}
}

// Body is the document without its comment about the source: what the
// template rendered.
func (d Document) Body() string {
	if strings.HasPrefix(d.Text, sourcePrefix) {
		_, rest, _ := strings.Cut(d.Text, "\n")
		return rest
	}
	return d.Text
}

// Render writes a document as a release's manifest holds it.
func Render(source, text string) string {
	return "---\n" + sourcePrefix + source + "\n" + text + "\n"
}

// cutAtSeparator cuts before the first separator that is not at the very start
// of the text; part keeps the newline before it.
func cutAtSeparator(text string) (part, rest string, found bool) {
	i := strings.Index(text, "\n---")
	if i < 0 {
		return text, "", false
	}
	return text[:i+1], trimSeparator(text[i+1:]), true
}

// trimSeparator removes one separator from the start of the text, if one is
// there, with the blanks that follow it.
func trimSeparator(text string) string {
	rest, ok := strings.CutPrefix(text, "---")
	if !ok {
		return text
	}
	return strings.TrimLeft(rest, " \t")
}

// trimStart removes leading white space and tells how many newlines that were.
func trimStart(text string) (trimmed string, newlines int) {
	trimmed = strings.TrimLeftFunc(text, unicode.IsSpace)
	return trimmed, strings.Count(text[:len(text)-len(trimmed)], "\n")
}
