package cli

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/chart/dependency"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newDependencyList(a *app) *cobra.Command {
	var width uint
	cmd := &cobra.Command{
		Use:     "list [CHART]",
		Aliases: []string{"ls"},
		Short:   "list the dependencies of a chart, and what is in charts/",
		Args:    needs(0, 1, "a chart"),
		RunE: a.run(func(_ *cobra.Command, args []string) error {
			found, err := dependency.List(folder(args))
			if err != nil {
				return err
			}
			if found.Rows != nil {
				fmt.Fprintln(a.streams.Out, ui.DependencyTable(found.Rows, int(width)))
			}
			for _, w := range found.Warnings {
				fmt.Fprintln(a.streams.Out, w)
			}
			return nil
		}),
	}
	cmd.Flags().UintVar(&width, "max-col-width", 80, "widest that a column may be")
	return cmd
}
