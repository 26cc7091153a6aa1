package cli

import (
	"context"
	"fmt"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newHooksDiff(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "diff NAME [REVISION [REVISION]]",
		Short: "compare the hooks of two revisions",
		Long: lines("Compares the hooks and tests of two revisions: of the latest and the one before it, of the one that is named and the",
			"one before it, or of the two that are named. Values of Secrets are masked; those that differ are named."),
		Example: lines("  pintle hooks diff web", "  pintle hooks diff web 3 7 -o json | jq '.hooks[] | select(.change == \"changed\").hook'"),
		Args:    needs(1, 3, "the name of a release and, if you like, one or two revisions"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.diffHooks(cmd.Context(), args, output.format.value)
		}),
	}
	output.add(cmd.Flags())
	cmd.ValidArgsFunction = func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(given) == 0 {
			return a.releaseName(cmd, given, typed)
		}
		if len(given) > 2 {
			return nothing()
		}
		return a.revisionNumbers(cmd, given)
	}
	a.completeFlags(cmd)
	return cmd
}

func (a *app) diffHooks(ctx context.Context, args []string, output ui.Format) error {
	var wanted []int
	for _, text := range args[1:] {
		n, err := parseRevision(text)
		if err != nil {
			return err
		}
		wanted = append(wanted, n)
	}
	r, err := a.read()
	if err != nil {
		return err
	}
	from, to, err := r.pair(ctx, args[0], wanted)
	if err != nil {
		return err
	}
	diff := ui.DiffHooks(shownHooks(from), shownHooks(to))
	diff.Release, diff.Namespace, diff.From, diff.To = to.Name, to.Namespace, from.Revision, to.Revision
	return ui.WriteHookDiff(a.streams.Out, diff, ui.ListOptions{Format: output, Color: a.colorOut()})
}

// pair reads the two revisions to compare: those that are wanted, and where
// one is not named the one before the other, or the latest.
func (r *reading) pair(ctx context.Context, name string, wanted []int) (from, to *release.Release, err error) {
	entries, err := r.records.Index(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if len(entries) == 0 {
		return nil, nil, &lifecycle.NoReleaseError{Name: name, Namespace: r.namespace}
	}
	last := entries[len(entries)-1].Revision
	if len(wanted) > 0 && wanted[len(wanted)-1] > 0 {
		last = wanted[len(wanted)-1]
	}
	first := 0
	if len(wanted) == 2 {
		first = wanted[0]
	}
	if first == 0 {
		for _, e := range entries {
			if e.Revision < last {
				first = e.Revision
			}
		}
	}
	if first == 0 {
		return nil, nil, fmt.Errorf("release %s has no revision before %d to compare with", name, last)
	}
	if from, err = r.record(ctx, name, first); err != nil {
		return nil, nil, fmt.Errorf("reading revision %d: %w", first, err)
	}
	if to, err = r.record(ctx, name, last); err != nil {
		return nil, nil, fmt.Errorf("reading revision %d: %w", last, err)
	}
	return from, to, nil
}

// shownHooks are a record's hooks without the values of its Secrets.
func shownHooks(rec *release.Release) []ui.HookText {
	c := concealer{}
	for _, doc := range object.Split(rec.Manifest) {
		if obj, err := object.Parse(doc); err == nil && obj != nil {
			c.masker = c.masker.With(engine.SecretValues(secretsIn(obj.Object)...)...)
		}
	}
	for _, h := range rec.Hooks {
		if obj, err := object.Parse(h.Document()); err == nil && obj != nil {
			c.masker = c.masker.With(engine.SecretValues(secretsIn(obj.Object)...)...)
		}
	}
	var out []ui.HookText
	for _, h := range rec.Hooks {
		out = append(out, ui.HookText{Kind: h.Kind, Name: h.Name, Text: c.document(h.Manifest), Whole: h.Manifest})
	}
	return out
}
