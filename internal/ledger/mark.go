package ledger

import (
	"encoding/json"

	"github.com/pintle-dev/pintle/internal/release"
)

// Mark is what the Job or Pod of a hook says of the run that has created it, so
// that another run of Pintle can tell its story where that one was killed.
type Mark struct {
	Operation
	Release  string        `json:"release"`
	Revision int           `json:"revision"`
	Event    release.Event `json:"event"`
	Attempt  int           `json:"attempt"`
}

// Mark is what the object of a run says of it.
func (r Run) Mark() Mark {
	return Mark{Operation: r.Operation, Release: r.Release, Revision: r.Revision, Event: r.Event, Attempt: r.Attempt}
}

// String is the text that ReadMark reads; it is the same for the same mark.
func (m Mark) String() string {
	text, _ := json.Marshal(m) // plain text, numbers and a time always have a JSON form
	return string(text)
}

// ReadMark reads what an object says of its run; false where that is nothing
// that we know.
func ReadMark(text string) (Mark, bool) {
	var m Mark
	err := json.Unmarshal([]byte(text), &m)
	return m, err == nil && m.ID != "" && m.Release != "" && m.Revision > 0 && m.Event != "" && m.Attempt > 0
}
