package lifecycle

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzJournal reads what a lock may hold, from another version or another hand.
func FuzzJournal(f *testing.F) {
	for _, text := range []string{
		"", "{}", `{"version":1,"revision":3,"step":"x","hooks":{"a":{"uid":"u","done":true,"started":"2026-01-02T03:04:05Z"}}}`,
		`{"version":2}`, `{"version":1,"hooks":null}`, `{"version":1,"hooks":{"":{"ended":"x"}}}`, `[`, `{"version":1,"revision":-1}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		j := readJournal(text)
		if j == nil {
			return
		}
		if j.Version != journalVersion {
			t.Fatalf("version %d was read", j.Version)
		}
		data, err := json.Marshal(j)
		if err != nil {
			t.Skip("such a time has no JSON form")
		}
		again := readJournal(string(data))
		if again == nil {
			t.Fatalf("%s cannot be read again", data)
		}
		if diff := cmp.Diff(j.before(), again.before()); diff != "" {
			t.Errorf("a journal changes when it is read and written (-before +after):\n%s", diff)
		}
	})
}
