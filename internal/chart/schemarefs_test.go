package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSchemasReadNoFiles offers a file that would let the values pass, or
// would tell of itself in the error.
func TestSchemasReadNoFiles(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(other, []byte(`{"enum": ["hunter2"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, schema := range map[string]string{
		"absolute":      `{"properties": {"a": {"$ref": "file://FILE"}}}`,
		"relative":      `{"properties": {"a": {"$ref": ".FILE#"}}}`,
		"under an id":   `{"$id": "file:///x/", "properties": {"a": {"$ref": "FILE"}}}`,
		"a false id":    `{"id": "http://example.com/", "properties": {"a": {"$ref": "FILE"}}}`,
		"an old draft":  `{"$schema": "http://json-schema.org/draft-04/schema#", "$id": "http://example.com/", "properties": {"a": {"$ref": "FILE"}}}`,
		"dynamic":       `{"properties": {"a": {"$dynamicRef": "FILE"}}}`,
		"a dialect":     `{"$schema": "file://FILE"}`,
		"among choices": `{"anyOf": [{"properties": {"a": {"$ref": "FILE"}}}]}`,
	} {
		c := load(t, "-- values.schema.json --\n"+strings.ReplaceAll(schema, "FILE", other)+"\n")
		_, err := Render(t.Context(), c, options(map[string]any{"a": "x"}))
		if err == nil || !strings.Contains(err.Error(), "refers to a file of this machine") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, schema := range map[string]string{
		"own part":      `{"$defs": {"x": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/x"}}}`,
		"own part's id": `{"$defs": {"x": {"$id": "x.json", "type": "string"}}, "properties": {"a": {"$ref": "x.json"}}}`,
		"draft":         `{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}`,
		"a value":       `{"properties": {"b": {"default": {"$ref": "/etc/passwd"}}}}`,
	} {
		c := load(t, "-- values.schema.json --\n"+schema+"\n")
		if _, err := Render(t.Context(), c, options(map[string]any{"a": "x"})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
