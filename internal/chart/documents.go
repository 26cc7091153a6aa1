package chart

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode"

	"helm.sh/helm/v4/pkg/release/v1/util"
	"k8s.io/apimachinery/pkg/util/json"
)

// Document is one YAML document that a template rendered.
type Document struct {
	// Source is the template's path from the root chart, such as
	// "web/charts/db/templates/job.yaml".
	Source string
	// Line is where Text begins in what the template rendered, counted from 1.
	Line int
	// Text is the document without its separator, as Helm stores it.
	Text string

	// json is the whole document, for Object: YAML is parsed once.
	json []byte
	head head
}

// Object decodes the document into a fresh map, with numbers as int64 or
// float64: what unstructured.Unstructured holds. It is nil for a document of
// comments only.
func (d Document) Object() (map[string]any, error) {
	var object map[string]any
	if err := json.Unmarshal(d.json, &object); err != nil {
		return nil, documentProblem(d, err)
	}
	return object, nil
}

// Outline is Object with nothing but what names the object and describes it:
// apiVersion, kind and metadata.
func (d Document) Outline() (map[string]any, error) {
	var parts *struct {
		APIVersion any `json:"apiVersion"`
		Kind       any `json:"kind"`
		Metadata   any `json:"metadata"`
	}
	if err := json.Unmarshal(d.json, &parts); err != nil {
		return nil, documentProblem(d, err)
	}
	if parts == nil {
		return nil, nil
	}
	return map[string]any{"apiVersion": parts.APIVersion, "kind": parts.Kind, "metadata": parts.Metadata}, nil
}

// separator begins a new document when it begins a line.
const separator = "---"

// split cuts what one template rendered into documents, at the places where
// Helm's SplitManifests does: at each "---" that begins a line, whatever
// follows it.
func split(source, content string) []Document {
	var docs []Document
	line := 1
	rest := trimLeft(content, &line)
	if strings.HasPrefix(rest, separator) {
		rest = strings.TrimLeft(rest[len(separator):], " \t")
	}
	for rest != "" {
		// The rest begins behind a separator, so in the middle of a line.
		text, more, found := strings.Cut(rest, "\n"+separator)
		if rest = ""; found {
			text, rest = text+"\n", strings.TrimLeft(more, " \t")
		}
		start := line
		if trimmed := trimLeft(text, &start); trimmed != "" {
			docs = append(docs, Document{Source: source, Line: start, Text: trimmed})
		}
		line += strings.Count(text, "\n")
	}
	return docs
}

// trimLeft removes leading white space and counts the lines that go with it.
func trimLeft(text string, line *int) string {
	trimmed := strings.TrimLeftFunc(text, unicode.IsSpace)
	*line += strings.Count(text[:len(text)-len(trimmed)], "\n")
	return trimmed
}

// splitAll cuts all rendered files into documents, in the order of their
// paths. Partials (a name that begins with "_") are left out.
func splitAll(files map[string]string) []Document {
	sources := make([]string, 0, len(files))
	for source := range files {
		if !strings.HasPrefix(path.Base(source), "_") {
			sources = append(sources, source)
		}
	}
	slices.Sort(sources)
	var docs []Document
	for _, source := range sources {
		docs = append(docs, split(source, files[source])...)
	}
	return docs
}

// sortByKind puts documents into install order, keeping the order of those
// that are of one kind. Kinds that the order does not know come last, by name.
func sortByKind(docs []Document) {
	slices.SortStableFunc(docs, func(a, b Document) int {
		first, second := installRank(string(a.head.Kind)), installRank(string(b.head.Kind))
		if first == unknownRank && second == unknownRank {
			return cmp.Compare(string(a.head.Kind), string(b.head.Kind))
		}
		return cmp.Compare(first, second)
	})
}

var installRanks = func() map[string]int {
	ranks := make(map[string]int, len(util.InstallOrder))
	for i, kind := range util.InstallOrder {
		ranks[kind] = i
	}
	return ranks
}()

var unknownRank = len(util.InstallOrder)

func installRank(kind string) int {
	if rank, ok := installRanks[kind]; ok {
		return rank
	}
	return unknownRank
}
