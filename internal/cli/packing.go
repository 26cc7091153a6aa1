package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pintle-dev/pintle/internal/chart/dependency"
	"github.com/pintle-dev/pintle/internal/chart/packing"
	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/spf13/cobra"
)

// packageFlags are those of package.
type packageFlags struct {
	packing.Options
	access         source.Access
	sign           bool
	key, keyring   string
	passphraseFile string
	update         bool
}

func newPackage(a *app) *cobra.Command {
	var flags packageFlags
	cmd := &cobra.Command{
		Use:     "package FOLDER...",
		Short:   "make an archive of a chart's folder",
		Long:    "Packs the folders of charts into archives (NAME-VERSION.tgz). With $SOURCE_DATE_EPOCH the same folder gives the same bytes.",
		Example: "  pintle package ./web --version 1.2.0 --sign --key me --keyring ~/.gnupg/secring.gpg",
		Args:    needs(1, -1, "the folder of a chart"),
		RunE:    a.run(func(cmd *cobra.Command, args []string) error { return a.pack(cmd.Context(), args, &flags) }),

		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault // paths
		},
	}
	f := cmd.Flags()
	f.BoolVar(&flags.sign, "sign", false, "sign the archive with a PGP key")
	f.StringVar(&flags.key, "key", "", "name of the key to sign with")
	f.StringVar(&flags.keyring, "keyring", defaultKeyring(a.env), "file of the keys to sign with")
	f.StringVar(&flags.passphraseFile, "passphrase-file", "", "file whose first line is the passphrase of the key, - for standard input")
	f.StringVar(&flags.Version, "version", "", "the chart's version, in place of that of Chart.yaml")
	f.StringVar(&flags.AppVersion, "app-version", "", "the version of what the chart installs, in place of that of Chart.yaml")
	f.StringVarP(&flags.Destination, "destination", "d", ".", "folder that the archive is written to")
	f.BoolVarP(&flags.update, "dependency-update", "u", false, "fetch the dependencies of Chart.yaml into charts/ first")
	addAccess(f, &flags.access)
	return cmd
}

func (a *app) pack(ctx context.Context, folders []string, flags *packageFlags) error {
	epoch, err := sourceDateEpoch(a.env)
	if err != nil {
		return err
	}
	flags.Epoch = epoch
	if flags.sign {
		if flags.key == "" {
			return asUsage(errors.New("--key is required for signing a package"))
		}
		if flags.keyring == "" {
			return asUsage(errors.New("--keyring is required for signing a package"))
		}
		flags.Sign = &packing.Signing{Key: flags.key, Keyring: flags.keyring, Passphrase: a.passphrase(flags.passphraseFile)}
	}
	for _, folder := range folders {
		if flags.update {
			m := &dependency.Manager{Client: a.sources(io.Discard), Folder: folder, Out: io.Discard, Keyring: flags.keyring, Access: flags.access, Epoch: epoch}
			if err := m.Update(ctx); err != nil {
				return err
			}
		}
		path, err := packing.Pack(folder, flags.Options)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.streams.Out, "Successfully packaged chart and saved it to: %s\n", path)
	}
	return nil
}

// passphrase asks for the passphrase of a key, or reads it from a file, once.
func (a *app) passphrase(file string) func(string) ([]byte, error) {
	var known []byte
	return func(key string) ([]byte, error) {
		if known != nil {
			return known, nil
		}
		var err error
		switch file {
		case "":
			if a.streams.ReadSecret == nil {
				return nil, diag.Problem{Summary: "the key has a passphrase", Detail: "give --passphrase-file, or run this in a terminal"}
			}
			var secret string
			secret, err = a.password(fmt.Sprintf("Password for key %q >  ", key), false)
			known = []byte(secret)
		case "-":
			known, err = io.ReadAll(a.streams.In)
		default:
			known, err = os.ReadFile(file)
		}
		if err != nil {
			return nil, diag.Problem{Summary: "the passphrase cannot be read", Detail: err.Error()}
		}
		known, _, _ = bytes.Cut(known, []byte("\n"))
		known = bytes.TrimSuffix(known, []byte("\r"))
		return known, nil
	}
}

// sourceDateEpoch is the time of $SOURCE_DATE_EPOCH; nil where it is not set.
func sourceDateEpoch(env Env) (*time.Time, error) {
	text := env.text("SOURCE_DATE_EPOCH")
	if text == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return nil, asUsage(fmt.Errorf("SOURCE_DATE_EPOCH is %q: it must be a number of seconds since 1970", text))
	}
	at := time.Unix(seconds, 0).UTC()
	return &at, nil
}

func newCreate(a *app) *cobra.Command {
	var starter string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "make a new chart",
		Long:  "Makes the folder of a new chart, the one that `helm create` makes, or a copy of a starter.",
		Args:  needs(1, 1, "a name"),
		RunE: a.run(func(_ *cobra.Command, args []string) error {
			fmt.Fprintf(a.streams.Out, "Creating %s\n", args[0])
			return packing.Create(args[0], starter, a.streams.Out)
		}),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nothing()
			}
			return nil, cobra.ShellCompDirectiveDefault // a path
		},
	}
	cmd.Flags().StringVarP(&starter, "starter", "p", "", "name of a starter, or its absolute path")
	return cmd
}

func newDependency(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dependency",
		Aliases: []string{"dep", "dependencies"},
		Short:   "list, fetch and update the dependencies of a chart",
		Args:    subcommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDependencyList(a),
		newDependencyFetch(a, "build", nil, "fetch into charts/ what Chart.lock says", dependency.IfPossible, (*dependency.Manager).Build),
		newDependencyFetch(a, "update", []string{"up"}, "fetch into charts/ the newest versions that Chart.yaml allows", dependency.Always, (*dependency.Manager).Update))
	return cmd
}

// folder is the chart's folder among the arguments; this one without.
func folder(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return filepath.Clean(args[0])
}

// dependencyFlags are those of dependency build and update.
type dependencyFlags struct {
	access      source.Access
	verify      bool
	keyring     string
	skipRefresh bool
}

func newDependencyFetch(a *app, name string, aliases []string, short string, verify dependency.Verification, do func(*dependency.Manager, context.Context) error) *cobra.Command {
	var flags dependencyFlags
	cmd := &cobra.Command{
		Use:     name + " [FOLDER]",
		Aliases: aliases,
		Short:   short,
		Args:    needs(0, 1, "the folder of a chart"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			epoch, err := sourceDateEpoch(a.env)
			if err != nil {
				return err
			}
			m := &dependency.Manager{
				Client: a.sources(a.streams.Out), Folder: folder(args), Out: a.streams.Out, SkipRefresh: flags.skipRefresh,
				Keyring: flags.keyring, Access: flags.access, Epoch: epoch,
			}
			if flags.verify {
				m.Verify = verify
			}
			return do(m, cmd.Context())
		}),
	}
	f := cmd.Flags()
	f.BoolVar(&flags.verify, "verify", false, "check the signatures of what is fetched")
	f.StringVar(&flags.keyring, "keyring", defaultKeyring(a.env), "file of the public keys for --verify")
	f.BoolVar(&flags.skipRefresh, "skip-refresh", false, "use the cached indexes as they are")
	addAccess(f, &flags.access)
	return cmd
}

// completing is what --dependency-update does before a chart is used; nil
// without it.
func (a *app) completing(flags *sourceFlags) func(context.Context, string) error {
	if !flags.update {
		return nil
	}
	return func(ctx context.Context, folder string) error {
		epoch, err := sourceDateEpoch(a.env)
		if err != nil {
			return err
		}
		m := &dependency.Manager{
			Client: a.sources(nil), Folder: folder, Out: &noteWriter{note: a.note}, Keyring: flags.Keyring, Access: flags.Access, Epoch: epoch,
		}
		return m.Update(ctx)
	}
}
