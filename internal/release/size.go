package release

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// MaxSize is how many bytes of an encoded record a Secret or ConfigMap can
// hold: the API server refuses more than 1 MiB of data.
const MaxSize = 1 << 20

// Part is one part of a record and its size before compression, in bytes.
type Part struct {
	Name  string
	Bytes int
}

// TooBigError is a record that does not fit into a Secret or ConfigMap.
type TooBigError struct {
	Release  string
	Revision int
	// Size is that of the encoded record, which MaxSize bounds.
	Size int
	// Parts are the biggest first.
	Parts []Part
}

// Error is one sentence that names the biggest parts.
func (e *TooBigError) Error() string {
	names := make([]string, 0, 3)
	for _, p := range e.Parts[:min(3, len(e.Parts))] {
		names = append(names, fmt.Sprintf("%s (%s)", p.Name, kib(p.Bytes)))
	}
	return fmt.Sprintf("the record of revision %d of release %s needs %s and a cluster stores at most %s; its biggest parts before compression: %s",
		e.Revision, e.Release, kib(e.Size), kib(MaxSize), strings.Join(names, ", "))
}

// CheckSize is a *TooBigError when the encoded record cannot be stored.
func CheckSize(r *Release, encoded []byte) error {
	if len(encoded) <= MaxSize {
		return nil
	}
	return &TooBigError{Release: r.Name, Revision: r.Revision, Size: len(encoded), Parts: Parts(r)}
}

// Parts are the parts of a record with their sizes before compression, the
// biggest first. Files of the chart count one by one.
func Parts(r *Release) []Part {
	var chart struct {
		Metadata  json.RawMessage `json:"metadata"`
		Templates []chartFile     `json:"templates"`
		Files     []chartFile     `json:"files"`
		Values    json.RawMessage `json:"values"`
		Schema    []byte          `json:"schema"`
	}
	_ = json.Unmarshal(r.Chart, &chart) // what cannot be read has no parts to name
	config, _ := json.Marshal(r.Config)
	parts := []Part{
		{"the rendered manifest", len(r.Manifest)},
		{"the values given", len(config)},
		{"the notes", len(r.Info.Notes)},
		{"the chart's default values", len(chart.Values)},
		{"the chart's values.schema.json", len(chart.Schema)},
		{"the chart's metadata", len(chart.Metadata)},
	}
	for _, f := range slices.Concat(chart.Templates, chart.Files) {
		parts = append(parts, Part{"the chart's file " + f.Name, len(f.Data)})
	}
	for _, h := range r.Hooks {
		parts = append(parts, Part{"the hook " + h.Kind + "/" + h.Name, len(h.Manifest)})
	}
	parts = slices.DeleteFunc(parts, func(p Part) bool { return p.Bytes == 0 })
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return parts
}

// chartFile is a file as Helm encodes it inside a chart.
type chartFile struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

func kib(bytes int) string { return fmt.Sprintf("%d KiB", (bytes+1023)/1024) }
