package cli

import (
	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/spf13/cobra"
)

func newShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show",
		Aliases: []string{"inspect"},
		Short:   "show what is in a chart",
		Long:    "Shows what is in a chart: a folder, an archive, or one of a repository, a registry or a URL.",
		Args:    subcommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, part := range []struct {
		part  chart.Part
		short string
	}{
		{chart.PartAll, "show everything: Chart.yaml, values.yaml, README and crds/"},
		{chart.PartMetadata, "show Chart.yaml"},
		{chart.PartValues, "show values.yaml"},
		{chart.PartReadme, "show the README"},
		{chart.PartCRDs, "show the files of crds/"},
	} {
		cmd.AddCommand(newShowPart(a, part.part, part.short))
	}
	return cmd
}

func newShowPart(a *app, part chart.Part, short string) *cobra.Command {
	var flags sourceFlags
	var bounds limitFlags
	var expression string
	cmd := &cobra.Command{
		Use:                   string(part) + " CHART",
		Short:                 short,
		Args:                  needs(1, 1, "a chart"),
		DisableFlagsInUseLine: true,
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			open, err := bounds.open(a.env)
			if err != nil {
				return err
			}
			open, _ = a.from(open, &flags)
			c, err := chart.Read(cmd.Context(), args[0], open)
			if err != nil {
				return err
			}
			return c.Show(a.streams.Out, part, expression)
		}),
		ValidArgsFunction: a.completeChart,
	}
	f := cmd.Flags()
	flags.add(f, a.env)
	bounds.add(f)
	if part == chart.PartValues {
		f.StringVar(&expression, "jsonpath", "", "show what this JSONPath expression finds in the values")
	}
	a.completeVersion(cmd, 0)
	return cmd
}
