package cli

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

// defaultMax is how many rows history and list show, as in Helm.
const defaultMax = 256

func newHistory(a *app) *cobra.Command {
	var output outputFlags
	limit, showRollback := defaultMax, false
	cmd := &cobra.Command{
		Use:     "history NAME",
		Aliases: []string{"hist"},
		Short:   "show the revisions of a release",
		Args:    needs(1, 1, "the name of a release"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return asUsage(fmt.Errorf("--max must not be negative"))
			}
			r, err := a.read()
			if err != nil {
				return err
			}
			found, err := r.records.Outlines(cmd.Context(), args[0])
			if len(found) == 0 {
				return together(err, &lifecycle.NoReleaseError{Name: args[0], Namespace: r.namespace})
			}
			var rows []ui.HistoryRow
			for _, rec := range found[max(0, len(found)-limit):] {
				rows = append(rows, ui.HistoryRowOf(rec))
			}
			return together(err, ui.WriteHistory(a.streams.Out, rows, ui.HistoryOptions{
				Format: output.format.value, ShowRollback: showRollback, Color: a.colorOut(),
			}))
		}),
		ValidArgsFunction: a.releaseName,
	}
	output.add(cmd.Flags())
	cmd.Flags().IntVar(&limit, "max", limit, "how many revisions to show at most")
	cmd.Flags().BoolVar(&showRollback, "show-rollback-revision", false, "show which revision a rollback went back to")
	a.completeFlags(cmd)
	return cmd
}
