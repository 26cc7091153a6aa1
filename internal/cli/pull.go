package cli

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/spf13/cobra"
)

// groupSource is for the commands about where charts come from.
const groupSource = "source"

func newPull(a *app) *cobra.Command {
	var flags sourceFlags
	var opts source.PullOptions
	var bounds limitFlags
	cmd := &cobra.Command{
		Use:     "pull CHART...",
		Aliases: []string{"fetch"},
		Short:   "fetch a chart into a folder",
		Long: lines("Fetches charts from a repository (name/chart, or --repo), a registry (oci://) or a URL, and saves or unpacks them.",
			"", "With --verify nothing is saved unless the chart is signed and the signature holds."),
		Example: lines("  pintle pull stable/web --version ^2 --untar", "  pintle pull oci://registry.example.com/charts/web --version 1.2.0"),
		Args:    needs(1, -1, "a chart"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			open, err := bounds.open(a.env)
			if err != nil {
				return err
			}
			opts.Check = func(name string, data []byte) error { return chart.CheckArchive(name, data, open.Limits) }
			client := a.sources(a.streams.Out)
			for _, ref := range args {
				signature, err := client.Pull(cmd.Context(), ref, flags.Request, opts)
				if err != nil {
					return err
				}
				if signature != nil {
					fmt.Fprint(a.streams.Out, signature)
				}
			}
			return nil
		}),
		ValidArgsFunction: a.completeRemoteChart,
	}
	f := cmd.Flags()
	flags.add(f, a.env)
	bounds.addLimits(f)
	f.BoolVar(&opts.Untar, "untar", false, "unpack the chart after it was fetched")
	f.StringVar(&opts.UntarDir, "untardir", ".", "folder that --untar unpacks into, counted from --destination")
	f.StringVarP(&opts.Destination, "destination", "d", ".", "folder that the chart is saved in")
	f.BoolVar(&opts.Provenance, "prov", false, "fetch the signature too, without checking it")
	a.completeVersion(cmd, 0)
	return cmd
}

func newVerify(a *app) *cobra.Command {
	var keyring string
	cmd := &cobra.Command{
		Use:   "verify ARCHIVE",
		Short: "check the signature of a chart's archive",
		Long:  "Checks the archive against the signature in the file beside it that has .prov at the end of its name.",
		Args:  needs(1, 1, "the path of an archive"),
		RunE: a.run(func(_ *cobra.Command, args []string) error {
			signature, err := source.VerifyFile(args[0], keyring)
			if err == nil {
				_, err = fmt.Fprint(a.streams.Out, signature)
			}
			return err
		}),
		ValidArgsFunction: onePath,
	}
	cmd.Flags().StringVar(&keyring, "keyring", defaultKeyring(a.env), "file of the public keys")
	return cmd
}
