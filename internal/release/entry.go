package release

import (
	"errors"
	"time"
)

// What a store answers when it cannot do as asked; errors.Is finds them in its errors.
var (
	// ErrNotFound means that no such release, or no such revision of it, is recorded.
	ErrNotFound = errors.New("release: not found")
	// ErrExists means that the revision is recorded already.
	ErrExists = errors.New("release: exists already")
	// ErrConflict means that the record has changed since it was read.
	ErrConflict = errors.New("release: changed by another run")
)

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
