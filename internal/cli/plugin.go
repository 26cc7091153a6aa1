package cli

import (
	"github.com/pintle-dev/pintle/internal/chart/plugin"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newPlugin(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "show, install and remove Helm plugins",
		Long:  "Plugins that Helm has installed are used: those that fetch charts, those that post-render, and those that are commands. A folder can be made one here too.",
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
					rows = append(rows, ui.PluginRow{Name: p.Name, Version: p.Version, Type: p.Type, Form: p.Form, Source: p.Source, Provenance: p.Provenance()})
				}
			}
			return ui.WritePlugins(a.streams.Out, rows)
		}),
	}
	list.Flags().StringVar(&kind, "type", "", "only plugins of this type, such as getter/v1")
	cmd.AddCommand(list, newPluginInstall(a), newPluginUninstall(a))
	return cmd
}
