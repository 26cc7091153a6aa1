package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newHooks(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hooks",
		Short: "show what hooks are and what they did",
		Long: lines("Shows the hooks and tests of a release: what the chart says of them, how they ran, and their logs.",
			"What they did comes from the ledger, which outlives their Jobs and Pods."),
		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, c := range []*cobra.Command{newHooksList(a), newHooksLogs(a), newHooksDescribe(a), newHooksRun(a), newHooksClean(a), newHooksDiff(a)} {
		c.DisableFlagsInUseLine = true
		cmd.AddCommand(c)
	}
	return cmd
}

func newHooksList(a *app) *cobra.Command {
	var revision revisionFlags
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "list NAME",
		Short: "list the hooks and tests of a release",
		Args:  needs(1, 1, "the name of a release"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			past, err := a.readPast(cmd.Context(), args[0], revision)
			if err != nil {
				return err
			}
			return ui.WriteHookList(a.streams.Out, past.report(), ui.ListOptions{Format: output.format.value, Color: a.colorOut()})
		}),
		ValidArgsFunction: a.releaseName,
	}
	revision.add(cmd.Flags())
	output.add(cmd.Flags())
	a.completeFlags(cmd)
	return cmd
}

func newHooksDescribe(a *app) *cobra.Command {
	var revision revisionFlags
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "describe NAME [HOOK]",
		Short: "show all that is known of hooks and of their runs",
		Args:  needs(1, 2, "the name of a release and, for one hook alone, its name"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			past, err := a.readPast(cmd.Context(), args[0], revision)
			if err != nil {
				return err
			}
			report := past.report()
			if len(args) == 2 {
				if report.Hooks, err = named(report.Hooks, args[1]); err != nil {
					return err
				}
			}
			return ui.WriteHookDescriptions(a.streams.Out, report, ui.DescribeOptions{Format: output.format.value, Color: a.colorOut()})
		}),
		ValidArgsFunction: a.releaseThenHook,
	}
	revision.add(cmd.Flags())
	output.add(cmd.Flags())
	a.completeFlags(cmd)
	return cmd
}

// past is one revision of a release, and what its hooks did. Of a release that
// is gone there is no record.
type past struct {
	*reading
	name   string
	record *release.Release
	runs   []ledger.Run
}

func (p *past) report() ui.HooksReport { return ui.ReportHooks(p.record, p.runs) }

// readPast reads a revision, the latest one for 0, and its ledger. Where the
// release is gone, what its ledger kept is all there is.
func (a *app) readPast(ctx context.Context, name string, revision revisionFlags) (*past, error) {
	if err := revision.check(); err != nil {
		return nil, err
	}
	r, err := a.read()
	if err != nil {
		return nil, err
	}
	p := &past{reading: r, name: name}
	book := a.ledger(r.client, r.records)
	p.record, err = r.record(ctx, name, revision.revision)
	if errors.Is(err, release.ErrNotFound) {
		return p, a.readGone(ctx, book, p, revision.revision, err)
	}
	if err != nil {
		return nil, err
	}
	if p.runs, err = book.Read(ctx, ledger.Wanted{Release: name, Revision: p.record.Revision}); err != nil {
		a.warn(err.Error())
	}
	return p, nil
}

// readGone reads what an earlier release of that name has left in the ledger.
func (a *app) readGone(ctx context.Context, book *ledger.Book, p *past, revision int, gone error) error {
	runs, err := book.Read(ctx, ledger.Wanted{Release: p.name, Revision: revision, Detached: true})
	if len(runs) == 0 {
		return errors.Join(gone, err)
	}
	if err != nil {
		a.warn(err.Error())
	}
	last := runs[len(runs)-1].Revision
	p.runs = slices.DeleteFunc(runs, func(r ledger.Run) bool { return r.Revision != last })
	fmt.Fprintf(a.streams.Err, "release %s is gone; this is what revision %d left in its ledger\n", p.name, last)
	return nil
}

// named leaves the hooks of that name, given as NAME or KIND/NAME.
func named(hooks []ui.HookStory, name string) ([]ui.HookStory, error) {
	var found []ui.HookStory
	var names []string
	for _, h := range hooks {
		names = append(names, h.Hook)
		if h.Hook == name || strings.EqualFold(h.Kind+"/"+h.Hook, name) {
			found = append(found, h)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("there is no hook %s; there are %s", name, orNone(names))
	}
	return found, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// releaseThenHook completes NAME HOOK.
func (a *app) releaseThenHook(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
	switch len(given) {
	case 0:
		return a.releaseName(cmd, given, typed)
	case 1:
		var names []string
		a.lookAround(cmd.Context(), func(ctx context.Context, r *reading) error {
			rec, err := r.record(ctx, given[0], 0)
			if err != nil {
				return err
			}
			for _, h := range rec.Hooks {
				names = append(names, fmt.Sprintf("%s\t%s", h.Name, h.Kind))
			}
			return nil
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return nothing()
}
