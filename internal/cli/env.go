package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/spf13/cobra"
)

// newEnv shows the settings that come from variables and flags, in Helm's form.
func newEnv(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "env [NAME]",
		Short: "show the settings that variables and flags make",
		Long:  "Shows the settings that this program goes by, as assignments that a shell understands, or the value of one.",
		Args:  needs(0, 1, "the name of one setting at most"),
		RunE: a.run(func(_ *cobra.Command, args []string) error {
			settings := a.settings()
			if len(args) > 0 {
				_, err := fmt.Fprintln(a.streams.Out, settings[args[0]])
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(settings)) {
				if _, err := fmt.Fprintf(a.streams.Out, "%s=%q\n", name, settings[name]); err != nil {
					return err
				}
			}
			return nil
		}),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nothing()
			}
			return slices.Sorted(maps.Keys(a.settings())), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// settings are Helm's variables with the values that are in force. Like Helm's, they
// hold the token for the cluster.
func (a *app) settings() map[string]string {
	files := a.global.files
	files.PluginEnv = a.pluginEnv()
	settings := files.Variables()
	settings["HELM_KUBETOKEN"] = a.global.token
	settings["HELM_NAMESPACE"] = kube.ConfiguredNamespace(a.global.kube())
	if a.global.kubeconfig != "" {
		settings["KUBECONFIG"] = a.global.kubeconfig
	}
	return settings
}
