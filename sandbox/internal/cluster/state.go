package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pintle-dev/pintle/sandbox/internal/process"
)

// stateVersion is raised when state.json changes in a way that older programs
// would misread.
const stateVersion = 1

// state is what a sandbox remembers about itself in state.json.
type state struct {
	Version int       `json:"version"`
	Created time.Time `json:"created"`
	Network string    `json:"network"`
	// Settings are the kernel's settings as they were before.
	Settings map[string]string `json:"settings"`
	// Components are in the order in which they are started.
	Components []component `json:"components"`
}

// component is a process of the cluster: how it is started, and which it is now.
type component struct {
	process.Spec
	process.ID
}

// loadState reads the state of the sandbox in l, and false when there is none
// that can be read: what cannot be read is as good as lost, and `up` and `down`
// cope with that.
func loadState(l Layout) (*state, bool, error) {
	raw, err := os.ReadFile(l.state())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the sandbox's state: %w", err)
	}
	var s state
	if readable := json.Unmarshal(raw, &s) == nil; !readable || s.Version != stateVersion {
		return nil, false, nil
	}
	return &s, true, nil
}

// save replaces state.json in one step.
func (s *state) save(l Layout) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the sandbox's state: %w", err)
	}
	next := l.state() + ".next"
	if err := os.WriteFile(next, raw, 0o600); err != nil {
		return fmt.Errorf("writing the sandbox's state: %w", err)
	}
	if err := os.Rename(next, l.state()); err != nil {
		return fmt.Errorf("writing the sandbox's state: %w", err)
	}
	return nil
}

// find returns the component called name.
func (s *state) find(name string) (*component, bool) {
	for i := range s.Components {
		if s.Components[i].Name == name {
			return &s.Components[i], true
		}
	}
	return nil, false
}
