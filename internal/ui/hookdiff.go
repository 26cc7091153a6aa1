package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// HookText is a hook as text for DiffHooks.
type HookText struct {
	Kind, Name string
	// Text is what may be shown; Whole only tells whether it has changed.
	Text, Whole string
}

// HookDiff is `hooks diff`; docs/formats/hooks.md describes it.
type HookDiff struct {
	Version   int              `json:"version"`
	Release   string           `json:"release"`
	Namespace string           `json:"namespace"`
	From      int              `json:"from"`
	To        int              `json:"to"`
	Hooks     []HookDifference `json:"hooks"`
}

// HookDifference is what became of one hook.
type HookDifference struct {
	Hook   string `json:"hook"`
	Kind   string `json:"kind"`
	Change Change `json:"change"`
	// Secret tells that values differ which are not shown.
	Secret bool `json:"secret,omitempty"`
	// Diff is in the unified form, without the names of files.
	Diff string `json:"diff,omitempty"`
}

// Change is what became of a hook between two revisions.
type Change string

// The changes.
const (
	HookAdded     Change = "added"
	HookRemoved   Change = "removed"
	HookChanged   Change = "changed"
	HookUnchanged Change = "unchanged"
)

// DiffHooks compares hooks by kind and name: those of the old revision first,
// in their order, then the new ones.
func DiffHooks(before, after []HookText) HookDiff {
	out := HookDiff{Version: hooksVersion, Hooks: []HookDifference{}}
	left := slices.Clone(after)
	for _, old := range before {
		i := slices.IndexFunc(left, func(h HookText) bool { return h.Kind == old.Kind && h.Name == old.Name })
		if i < 0 {
			out.Hooks = append(out.Hooks, HookDifference{Hook: old.Name, Kind: old.Kind, Change: HookRemoved, Diff: unified(old.Text, "")})
			continue
		}
		d := HookDifference{Hook: old.Name, Kind: old.Kind, Change: HookUnchanged}
		if trimmed(old.Whole) != trimmed(left[i].Whole) {
			d.Change, d.Diff = HookChanged, unified(old.Text, left[i].Text)
			d.Secret = d.Diff == ""
		}
		out.Hooks = append(out.Hooks, d)
		left = slices.Delete(left, i, i+1)
	}
	for _, h := range left {
		out.Hooks = append(out.Hooks, HookDifference{Hook: h.Name, Kind: h.Kind, Change: HookAdded, Diff: unified("", h.Text)})
	}
	return out
}

func trimmed(text string) string { return strings.TrimSpace(text) + "\n" }

// unified is a diff from its first "@@" on; empty where nothing differs.
func unified(before, after string) string {
	if before != "" {
		before = trimmed(before)
	}
	if after != "" {
		after = trimmed(after)
	}
	text := string(diff.Diff("a", []byte(before), "b", []byte(after)))
	_, hunks, _ := strings.Cut(text, "@@")
	if hunks == "" {
		return ""
	}
	return "@@" + hunks
}

// WriteHookDiff writes the differences: for people without the hooks that are
// as they were, which are counted.
func WriteHookDiff(w io.Writer, d HookDiff, opts ListOptions) error {
	return WriteAs(w, opts.Format, d, func() string {
		s := style{opts.Color}
		var b strings.Builder
		same := 0
		for _, h := range d.Hooks {
			if h.Change == HookUnchanged {
				same++
				continue
			}
			fmt.Fprintf(&b, "%s\n", s.with(bold, fmt.Sprintf("%s/%s %s", h.Kind, h.Hook, h.Change)))
			if h.Secret {
				b.WriteString("  values differ that are not shown\n")
			}
			for line := range strings.Lines(h.Diff) {
				b.WriteString(s.diffLine(clean(strings.TrimSuffix(line, "\n"))) + "\n")
			}
		}
		switch {
		case len(d.Hooks) == 0:
			fmt.Fprintf(&b, "Revisions %d and %d of release %q have no hooks.\n", d.From, d.To, d.Release)
		case same == len(d.Hooks):
			fmt.Fprintf(&b, "Revisions %d and %d of release %q have the same hooks.\n", d.From, d.To, d.Release)
		case same > 0:
			fmt.Fprintf(&b, "%d more are the same in revisions %d and %d.\n", same, d.From, d.To)
		}
		return b.String()
	})
}

func (s style) diffLine(line string) string {
	switch {
	case strings.HasPrefix(line, "@@"):
		return s.with(faint, line)
	case strings.HasPrefix(line, "+"):
		return s.with(good, line)
	case strings.HasPrefix(line, "-"):
		return s.with(bad, line)
	}
	return line
}
