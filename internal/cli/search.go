package cli

import (
	"errors"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newSearch(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "search",
		Short: "search the chart repositories",
		Args:  subcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSearchRepo(a))
	return cmd
}

func newSearchRepo(a *app) *cobra.Command {
	var opts source.SearchOptions
	var output outputFlags
	var width uint
	var fail bool
	cmd := &cobra.Command{
		Use:   "repo [KEYWORD]",
		Short: "search the repositories that were added",
		Long:  "Looks for a word in the names, descriptions and keywords of the charts in the cached indexes. `pintle repo update` fetches those again.",
		RunE: a.run(func(_ *cobra.Command, args []string) error {
			opts.Term = strings.Join(args, " ")
			hits, err := a.sources(nil).Search(opts)
			if err != nil {
				return err
			}
			if len(hits) == 0 && fail {
				return errors.New("no results found")
			}
			var rows []ui.ChartRow
			for _, h := range hits {
				rows = append(rows, ui.ChartRow{Name: h.Name, Version: h.Version, AppVersion: h.AppVersion, Description: h.Description})
			}
			return ui.WriteCharts(a.streams.Out, rows, output.format.value, int(width))
		}),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return nothing() },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.Regexp, "regexp", "r", false, "take the keyword for a regular expression")
	f.BoolVarP(&opts.AllVersions, "versions", "l", false, "show every version, not the newest alone")
	f.BoolVar(&opts.Devel, "devel", false, "take pre-releases too; without effect beside --version")
	f.StringVar(&opts.Version, "version", "", "a range of versions")
	f.UintVar(&width, "max-col-width", 50, "widest that a column may be")
	f.BoolVar(&fail, "fail-on-no-result", false, "fail when nothing is found")
	output.add(f)
	a.completeFlags(cmd)
	return cmd
}
