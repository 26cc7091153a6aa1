package cli

import (
	"github.com/pintle-dev/pintle/internal/chart/plugin"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newPlugin(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "show the Helm plugins that are installed",
		Long:  "Shows the plugins that Helm has installed. Those that fetch charts and those that post-render are used; they are installed with `helm plugin install`.",
		Args:  subcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var kind string
	list := &cobra.Command{
		Use:                   "list",
		Aliases:               []string{"ls"},
		Short:                 "list plugins",
		Args:                  noArgs,
		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
		RunE: a.run(func(*cobra.Command, []string) error {
			var rows []ui.PluginRow
			for _, p := range plugin.All(a.global.files.PluginFolders) {
				if kind == "" || p.Type == kind {
					rows = append(rows, ui.PluginRow{Name: p.Name, Version: p.Version, Type: p.Type, Form: p.Form, Source: p.Source})
				}
			}
			return ui.WritePlugins(a.streams.Out, rows)
		}),
	}
	list.Flags().StringVar(&kind, "type", "", "only plugins of this type, such as getter/v1")
	cmd.AddCommand(list)
	return cmd
}
