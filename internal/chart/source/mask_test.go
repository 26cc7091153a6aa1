package source_test

import (
	"testing"

	"github.com/pintle-dev/pintle/internal/chart/source"
)

func TestMask(t *testing.T) {
	for address, want := range map[string]string{
		"https://example.com/x?y=z":         "https://example.com/x?y=z",
		"https://me:secret@example.com/a@b": "https://xxxxx@example.com/a@b",
		"https://me:se%cret@example.com/it": "https://***@example.com/it",
		"https://me:se/c%ret@example.com":   "https://***@example.com",
		"a folder":                          "a folder",
	} {
		if got := source.Mask(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}
