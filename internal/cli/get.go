package cli

import (
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newGet(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get",
		Short: "show parts of a release: all, hooks, manifest, metadata, notes, values",
		Long:  "Shows what is recorded of a release.",
		Args:  subcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.newGetText("manifest", "show the manifest of a release", func(r *release.Release) error { return ui.WriteManifest(a.streams.Out, r) }),
		a.newGetText("hooks", "show the hooks of a release", func(r *release.Release) error { return ui.WriteHooks(a.streams.Out, r) }),
		a.newGetText("notes", "show the notes of a release", func(r *release.Release) error { return ui.WriteNotes(a.streams.Out, r) }),
		newGetValues(a), newGetMetadata(a), newGetAll(a),
	)
	return cmd
}

// newGetText is a command that writes one part of a record as it is.
func (a *app) newGetText(part, short string, write func(*release.Release) error) *cobra.Command {
	var revision revisionFlags
	cmd := &cobra.Command{
		Use: part + " NAME", Short: short, Args: needs(1, 1, "the name of a release"), DisableFlagsInUseLine: true,
		ValidArgsFunction: a.releaseName,
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			r, err := a.readRecord(cmd.Context(), args[0], revision)
			if err != nil {
				return err
			}
			return write(r)
		}),
	}
	revision.add(cmd.Flags())
	a.completeFlags(cmd)
	return cmd
}

func newGetValues(a *app) *cobra.Command {
	var output outputFlags
	all := false
	cmd := a.newGetText("values", "show the values of a release", func(r *release.Release) error {
		values, err := r.Config, error(nil)
		if all {
			values, err = computedValues(r)
		}
		if err != nil {
			return err
		}
		return ui.WriteValues(a.streams.Out, values, ui.ValuesOptions{Format: output.format.value, Computed: all})
	})
	output.add(cmd.Flags())
	cmd.Flags().BoolVarP(&all, "all", "a", false, "with the defaults of the chart")
	a.completeFlags(cmd)
	return cmd
}

func newGetMetadata(a *app) *cobra.Command {
	var output outputFlags
	cmd := a.newGetText("metadata", "show names, versions and status of a release", func(r *release.Release) error {
		return ui.WriteMetadata(a.streams.Out, r, output.format.value)
	})
	output.add(cmd.Flags())
	a.completeFlags(cmd)
	return cmd
}

func newGetAll(a *app) *cobra.Command {
	return a.newGetText("all", "show everything that is recorded of a release", func(r *release.Release) error {
		values, err := computedValues(r)
		if err != nil {
			return err
		}
		return ui.WriteStatus(a.streams.Out, r, ui.StatusOptions{
			Format: ui.Table, Color: a.colorOut(), Chart: true, Sources: true, Computed: values,
		})
	})
}
