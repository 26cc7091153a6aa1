package cli

import (
	"fmt"
	"os"

	"github.com/pintle-dev/pintle/internal/chart/plugin"
	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/spf13/cobra"
)

func newPluginInstall(a *app) *cobra.Command {
	// Those of Helm that are about what comes from elsewhere: a folder needs none.
	var unused struct {
		access           source.Access
		version, keyring string
		verify           bool
	}
	cmd := &cobra.Command{
		Use:     "install FOLDER",
		Aliases: []string{"add"},
		Short:   "make a folder a plugin",
		Long:    "Makes a folder with a plugin.yaml a plugin, by a link in the folder of plugins. Helm installs those that come from elsewhere.",
		Args:    needs(1, 1, "a folder"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			info, err := os.Stat(args[0])
			if err != nil || !info.IsDir() {
				return diag.Problem{
					Summary: "only folders are installed as plugins here, and " + source.Mask(args[0]) + " is none",
					Detail:  "Helm's own `helm plugin install` fetches plugins from elsewhere; what it has installed works here too",
				}
			}
			fmt.Fprintln(a.streams.Out, "Installing plugin from local directory (development mode)")
			p, err := plugin.Install(cmd.Context(), a.global.files.PluginFolders[0], args[0], a.pluginStreams())
			if err == nil {
				fmt.Fprintf(a.streams.Out, "Installed plugin: %s\n", p.Name)
			}
			return err
		}),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	f := cmd.Flags()
	addAccess(f, &unused.access)
	f.StringVar(&unused.version, "version", "", "without effect on a folder")
	f.BoolVar(&unused.verify, "verify", true, "without effect on a folder, which has no signature")
	f.StringVar(&unused.keyring, "keyring", defaultKeyring(a.env), "without effect on a folder")
	return cmd
}

func newPluginUninstall(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "uninstall NAME...",
		Aliases: []string{"rm", "remove"},
		Short:   "remove plugins",
		Args:    needs(1, -1, "the name of a plugin"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			var failed []error
			for _, name := range args {
				err := plugin.Uninstall(cmd.Context(), a.global.files.PluginFolders, name, a.pluginStreams())
				if err != nil {
					failed = append(failed, err)
					continue
				}
				fmt.Fprintf(a.streams.Out, "Uninstalled plugin: %s\n", name)
			}
			return together(failed...)
		}),
		ValidArgsFunction: a.completePlugins,
	}
}

func (a *app) completePlugins(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, p := range plugin.All(a.global.files.PluginFolders) {
		names = append(names, p.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) pluginStreams() plugin.Streams {
	return plugin.Streams{In: a.streams.In, Out: a.streams.Out, Err: a.streams.Err}
}
