package cli

import (
	"fmt"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/pintle-dev/pintle/internal/chart"
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
	text := ""
	cmd := a.newGetText("all", "show everything that is recorded of a release", func(r *release.Release) error {
		if text != "" {
			return a.writeTemplate(r, text)
		}
		values, err := computedValues(r)
		if err != nil {
			return err
		}
		return ui.WriteStatus(a.streams.Out, r, ui.StatusOptions{
			Format: ui.Table, Color: a.colorOut(), Chart: true, Sources: true, Computed: values,
		})
	})
	cmd.Flags().StringVar(&text, "template", "", "print a Go template instead, such as {{.Release.Name}}")
	return cmd
}

// templateRelease is a record as Helm's templates see it.
type templateRelease struct {
	*release.Release
	Version int
	Chart   templateChart
}

type templateChart struct {
	Metadata chart.Metadata
	Values   map[string]any
}

// writeTemplate executes a template on a record.
func (a *app) writeTemplate(r *release.Release, text string) error {
	t, err := template.New("template").Funcs(sprig.TxtFuncMap()).Parse(text)
	if err != nil {
		return asUsage(fmt.Errorf("reading --template: %w", err))
	}
	c, err := chart.Decode(r.Chart)
	if err != nil {
		return err
	}
	err = t.Execute(a.streams.Out, map[string]any{"Release": templateRelease{
		Release: r, Version: r.Revision, Chart: templateChart{Metadata: c.Metadata(), Values: c.Defaults()},
	}})
	if err != nil {
		return asUsage(fmt.Errorf("executing --template: %w", err))
	}
	return nil
}
