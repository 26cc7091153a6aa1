package release

import (
	"errors"
	"time"
)

// ErrNotFound means that no such release, or no such revision of it, is recorded.
var ErrNotFound = errors.New("release: not found")

// Entry is what can be known of a stored revision without decoding it: what
// its labels say.
type Entry struct {
	Name      string
	Namespace string
	Revision  int
	Status    Status
	// Modified is when the record was last written; zero where the labels do not say.
	Modified time.Time
	// Labels are the user's own.
	Labels map[string]string
}
