package plan

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
)

// ParseHookOverride reads "NAME:timeout=20m,retries=2,skip".
func ParseHookOverride(text string) (HookOverride, error) {
	name, settings, ok := strings.Cut(text, ":")
	o := HookOverride{Name: name}
	if !ok || name == "" || settings == "" {
		return o, fmt.Errorf("%q must be NAME:SETTING,..., such as migrate:timeout=20m,retries=2", text)
	}
	if _, err := path.Match(name, ""); err != nil {
		return o, fmt.Errorf("%q is not a name or a glob", name)
	}
	for setting := range strings.SplitSeq(settings, ",") {
		if err := o.set(setting); err != nil {
			return o, fmt.Errorf("%q: %w", text, err)
		}
	}
	return o, nil
}

func (o *HookOverride) set(setting string) error {
	key, value, _ := strings.Cut(setting, "=")
	switch key {
	case "skip":
		if value != "" {
			return fmt.Errorf("skip takes no value")
		}
		o.Skip = true
	case "timeout":
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return fmt.Errorf("timeout is %q: it must be a duration above zero, such as 20m", value)
		}
		o.Timeout = &d
	case "retries":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf("retries is %q: it must be a whole number, 0 or more", value)
		}
		o.Retries = &n
	default:
		return fmt.Errorf("%q is no setting; there are timeout, retries and skip", key)
	}
	return nil
}

// matches tells whether the override is about the hook.
func (o HookOverride) matches(h *release.Hook) bool {
	ok, _ := path.Match(o.Name, h.Name) // the pattern was checked when it was read
	return ok
}

// Overridden are the hooks as an operation takes them: with the operator's
// wishes over what the chart says.
func Overridden(hooks []Hook, overrides []HookOverride) []Hook { return overridden(hooks, overrides) }

// overridden are the hooks with the operator's wishes over what the chart says.
func overridden(hooks []Hook, overrides []HookOverride) []Hook {
	if len(overrides) == 0 {
		return hooks
	}
	out := make([]Hook, len(hooks))
	for i, h := range hooks {
		for _, o := range overrides {
			if !o.matches(h.Hook) {
				continue
			}
			if o.Timeout != nil {
				h.Steering.Timeout = *o.Timeout
			}
			if o.Retries != nil {
				h.Steering.Retries = *o.Retries
			}
			h.Skip = h.Skip || o.Skip
		}
		out[i] = h
	}
	return out
}

// UnmatchedOverrides are the names of --hook flags that no hook answers to:
// most likely misspelt.
func UnmatchedOverrides(overrides []HookOverride, hooks []Hook) []string {
	var out []string
	for _, o := range overrides {
		found := false
		for _, h := range hooks {
			found = found || o.matches(h.Hook)
		}
		if !found {
			out = append(out, o.Name)
		}
	}
	return out
}
