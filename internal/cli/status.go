package cli

import (
	"context"
	"errors"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// revisionFlags choose a revision of a release.
type revisionFlags struct{ revision int }

func (r *revisionFlags) add(f *pflag.FlagSet) {
	f.IntVar(&r.revision, "revision", 0, "the revision to show; 0 means the latest")
}

func (r *revisionFlags) check() error {
	if r.revision < 0 {
		return asUsage(errors.New("--revision must not be negative"))
	}
	return nil
}

// record reads one revision of a release: the latest for 0.
func (r *reading) record(ctx context.Context, name string, revision int) (*release.Release, error) {
	if revision == 0 {
		entries, err := r.records.Index(ctx, name)
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			return nil, &lifecycle.NoReleaseError{Name: name, Namespace: r.namespace}
		}
		revision = entries[len(entries)-1].Revision
	}
	return r.records.Get(ctx, name, revision)
}

func newStatus(a *app) *cobra.Command {
	var revision revisionFlags
	var output outputFlags
	var tested testedFlags
	cmd := &cobra.Command{
		Use:   "status NAME",
		Short: "show the status of a release",
		Long:  "Shows when and where a release was deployed, its status and revision, how its tests ended, and the chart's notes.",
		Args:  needs(1, 1, "the name of a release"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			if done, err := a.answerTested(cmd.Context(), args[0], &tested); done {
				return err
			}
			return a.status(cmd.Context(), args[0], revision, output.format.value)
		}),
		ValidArgsFunction: a.releaseName,
	}
	revision.add(cmd.Flags())
	output.add(cmd.Flags())
	tested.add(cmd.Flags())
	a.completeFlags(cmd)
	return cmd
}

// status shows a release and its live objects. What keeps them from being
// read is told, and no reason to show nothing.
func (a *app) status(ctx context.Context, name string, revision revisionFlags, output ui.Format) error {
	if err := revision.check(); err != nil {
		return err
	}
	r, err := a.read()
	if err != nil {
		return err
	}
	rec, err := r.record(ctx, name, revision.revision)
	if err != nil {
		return err
	}
	opts := ui.StatusOptions{Format: output, Color: a.colorOut()}
	if output == ui.Table {
		if !a.asHelm {
			opts.Runs = a.lastTests(ctx, r, rec)
		}
		if opts.Resources, err = r.liveTables(ctx, rec); err != nil {
			a.warn("the release's objects cannot be shown: " + a.explain(err)[0].Summary)
		}
	} else if opts.Live, err = r.liveObjects(ctx, rec); err != nil {
		a.warn("the release's objects cannot be shown: " + a.explain(err)[0].Summary)
	}
	return ui.WriteStatus(a.streams.Out, rec, opts)
}

// readRecord connects and reads one revision.
func (a *app) readRecord(ctx context.Context, name string, revision revisionFlags) (*release.Release, error) {
	if err := revision.check(); err != nil {
		return nil, err
	}
	r, err := a.read()
	if err != nil {
		return nil, err
	}
	return r.record(ctx, name, revision.revision)
}
