package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
)

// listFlags are those of list, with Helm's names and meaning.
type listFlags struct {
	outputFlags
	short, noHeaders, byDate, reverse, allNamespaces                     bool
	uninstalled, superseded, uninstalling, deployed, failedOnes, pending bool
	timeFormat, filter, selector                                         string
	limit, offset                                                        int
}

func newList(a *app) *cobra.Command {
	flags := listFlags{limit: defaultMax}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "list releases",
		Long: lines("Lists the latest revision of each release of the namespace.",
			"", "Flags for statuses can be combined; without any, releases of every status are listed."),
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              a.run(func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), &flags) }),
	}
	flags.add(cmd)
	a.completeFlags(cmd)
	return cmd
}

func (l *listFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	l.outputFlags.add(f)
	f.BoolVarP(&l.short, "short", "q", false, "names only")
	f.BoolVar(&l.noHeaders, "no-headers", false, "leave the head of the table out")
	f.StringVar(&l.timeFormat, "time-format", "", `form of times, as Go writes it: "2006-01-02 15:04:05Z0700"`)
	f.BoolVarP(&l.byDate, "date", "d", false, "sort by time, not by name")
	f.BoolVarP(&l.reverse, "reverse", "r", false, "reverse the order")
	f.BoolVar(&l.uninstalled, "uninstalled", false, "list uninstalled releases, whose history was kept")
	f.BoolVar(&l.superseded, "superseded", false, "list superseded revisions")
	f.BoolVar(&l.uninstalling, "uninstalling", false, "list releases that are being uninstalled")
	f.BoolVar(&l.deployed, "deployed", false, "list deployed releases")
	f.BoolVar(&l.failedOnes, "failed", false, "list failed releases")
	f.BoolVar(&l.pending, "pending", false, "list releases with an operation under way")
	f.BoolP("all", "a", true, "list releases of every status, as always")
	_ = f.MarkHidden("all") // for scripts of Helm 3; the flag is there: it was added above
	f.BoolVarP(&l.allNamespaces, "all-namespaces", "A", false, "list releases of all namespaces")
	f.IntVarP(&l.limit, "max", "m", l.limit, "how many releases to list at most; 0 means all")
	f.IntVar(&l.offset, "offset", 0, "how many releases to pass over first")
	f.StringVarP(&l.filter, "filter", "f", "", "a regular expression that names must match")
	f.StringVarP(&l.selector, "selector", "l", "", "a selector for labels of records")
}

func (a *app) list(ctx context.Context, flags *listFlags) error {
	pick, err := flags.selection()
	if err != nil {
		return err
	}
	r, err := a.read()
	if err != nil {
		return err
	}
	found, err := a.latest(ctx, r, flags, pick)
	if err != nil && len(found) == 0 {
		return err
	}
	found = flags.page(flags.sorted(found))
	rows := make([]ui.ListRow, len(found))
	for i, rec := range found {
		rows[i] = ui.ListRowOf(rec, flags.timeFormat)
	}
	return together(err, ui.WriteList(a.streams.Out, rows, ui.ListOptions{
		Format: flags.format.value, Short: flags.short, NoHeaders: flags.noHeaders, Color: a.colorOut(),
	}))
}

// selection decides by the index whether a release is listed.
func (l *listFlags) selection() (func(release.Entry) bool, error) {
	name, err := regexp.Compile(l.filter)
	if err != nil {
		return nil, asUsage(fmt.Errorf("--filter is not a regular expression: %w", err))
	}
	selector, err := labels.Parse(l.selector)
	if err != nil {
		return nil, asUsage(fmt.Errorf("--selector: %w", err))
	}
	if l.limit < 0 || l.offset < 0 {
		return nil, asUsage(errors.New("--max and --offset must not be negative"))
	}
	return func(e release.Entry) bool {
		return l.wants(e.Status) && name.MatchString(e.Name) && selector.Matches(labels.Set(e.Labels))
	}, nil
}

// wants tells whether releases of a status are listed.
func (l *listFlags) wants(s release.Status) bool {
	asked := map[release.Status]bool{
		release.Uninstalled: l.uninstalled, release.Superseded: l.superseded, release.Uninstalling: l.uninstalling,
		release.Deployed: l.deployed, release.Failed: l.failedOnes,
		release.PendingInstall: l.pending, release.PendingUpgrade: l.pending, release.PendingRollback: l.pending,
	}
	some := l.uninstalled || l.superseded || l.uninstalling || l.deployed || l.failedOnes || l.pending
	return !some || asked[s]
}

// onlySuperseded is the one selection that latest revisions never match.
func (l *listFlags) onlySuperseded() bool {
	return l.superseded && !(l.uninstalled || l.uninstalling || l.deployed || l.failedOnes || l.pending)
}

// latest reads the releases to list. Those that cannot be read are in the
// error, beside which the others are given.
func (a *app) latest(ctx context.Context, r *reading, flags *listFlags, pick func(release.Entry) bool) ([]*release.Release, error) {
	opts := store.ListOptions{AllNamespaces: flags.allNamespaces, Keep: pick}
	if !flags.onlySuperseded() {
		return r.records.List(ctx, opts)
	}
	var names []release.Entry
	opts.Keep = func(e release.Entry) bool {
		names = append(names, e)
		return false
	}
	if _, err := r.records.List(ctx, opts); err != nil {
		return nil, err
	}
	return a.revisions(ctx, r, names, pick)
}

// revisions reads all revisions of releases that the selection takes.
func (a *app) revisions(ctx context.Context, r *reading, names []release.Entry, pick func(release.Entry) bool) ([]*release.Release, error) {
	var all []*release.Release
	var faults []error
	for _, n := range names {
		records, err := a.recordsIn(r.client, n.Namespace)
		if err != nil {
			return nil, err
		}
		found, err := records.Outlines(ctx, n.Name)
		faults = append(faults, err)
		for _, rec := range found {
			if pick(release.Entry{Name: rec.Name, Namespace: rec.Namespace, Revision: rec.Revision, Status: rec.Info.Status, Labels: rec.Labels}) {
				all = append(all, rec)
			}
		}
	}
	return all, together(faults...)
}

// sorted puts releases into the order that was asked for.
func (l *listFlags) sorted(found []*release.Release) []*release.Release {
	out := slices.Clone(found)
	slices.SortStableFunc(out, func(a, b *release.Release) int {
		order := cmp.Compare(a.Name, b.Name)
		if l.byDate {
			// In seconds, then by name, as in Helm.
			order = cmp.Or(cmp.Compare(a.Info.LastDeployed.Unix(), b.Info.LastDeployed.Unix()), order)
		}
		if l.reverse {
			return -order
		}
		return order
	})
	return out
}

// page cuts out what --offset and --max ask for.
func (l *listFlags) page(found []*release.Release) []*release.Release {
	found = found[min(l.offset, len(found)):]
	if l.limit > 0 {
		found = found[:min(l.limit, len(found))]
	}
	return found
}
