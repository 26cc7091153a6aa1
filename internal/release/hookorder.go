package release

import (
	"cmp"
	"slices"

	"github.com/pintle-dev/pintle/internal/object"
)

// SortHooks gives the hooks in the order in which they run: by weight, then
// by name, then in install order by kind; what is still equal keeps the order
// in which it was given, which is that of the files. The slice that is passed
// in stays as it is.
func SortHooks(hooks []*Hook) []*Hook {
	sorted := slices.Clone(hooks)
	slices.SortStableFunc(sorted, func(a, b *Hook) int {
		return cmp.Or(
			cmp.Compare(a.Weight, b.Weight),
			cmp.Compare(a.Name, b.Name),
			object.InstallOrder.Compare(a.Kind, b.Kind),
		)
	})
	return sorted
}

// HooksOn gives the hooks that run at the event, in the order in which they run.
func (r *Release) HooksOn(e Event) []*Hook {
	var hooks []*Hook
	for _, h := range r.Hooks {
		if h.On(e) {
			hooks = append(hooks, h)
		}
	}
	return SortHooks(hooks)
}
