package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newRepo(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repo",
		Short: "add, list, update, remove and index chart repositories",
		Long:  "Keeps the list of chart repositories, which is Helm's own (repositories.yaml), and their cached indexes.",
		Args:  subcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRepoAdd(a), newRepoList(a), newRepoUpdate(a), newRepoRemove(a), newRepoIndex(a))
	return cmd
}

// goneRepositories were Helm's own, and are where it says now.
var goneRepositories = map[string]string{
	"//kubernetes-charts.storage.googleapis.com":           "https://charts.helm.sh/stable",
	"//kubernetes-charts-incubator.storage.googleapis.com": "https://charts.helm.sh/incubator",
}

type repoAddFlags struct {
	access        source.Access
	passwordStdin bool
	force         bool
	allowGone     bool
	timeout       time.Duration
}

func newRepoAdd(a *app) *cobra.Command {
	var flags repoAddFlags
	cmd := &cobra.Command{
		Use:     "add NAME URL",
		Short:   "add a chart repository",
		Example: "  pintle repo add shop https://charts.example.com --username me --password-stdin < token",
		Args:    needs(2, 2, "a name and a URL"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.addRepository(cmd.Context(), args[0], args[1], &flags)
		}),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return nothing() },
	}
	f := cmd.Flags()
	addLogin(f, &flags.access)
	addTLS(f, &flags.access)
	f.BoolVar(&flags.access.InsecureSkipTLSVerify, "insecure-skip-tls-verify", false, "do not check the repository's certificate, which makes the connection insecure")
	f.BoolVar(&flags.access.PassCredentials, "pass-credentials", false, "send the login to other hosts than the repository's too")
	f.BoolVar(&flags.passwordStdin, "password-stdin", false, "read the password from standard input")
	f.BoolVar(&flags.force, "force-update", false, "replace a repository of that name")
	f.BoolVar(&flags.allowGone, "allow-deprecated-repos", false, "add one of Helm's old repositories that are gone, too")
	f.DurationVar(&flags.timeout, "timeout", source.DefaultTimeout, "limit for fetching the index")
	return cmd
}

func (a *app) addRepository(ctx context.Context, name, address string, flags *repoAddFlags) error {
	for old, now := range goneRepositories {
		if strings.Contains(address, old) && !flags.allowGone {
			return diag.Problem{Summary: fmt.Sprintf("repo %q is no longer available; try %q instead", address, now)}
		}
	}
	access := flags.access
	if access.Username != "" && access.Password == "" {
		password, err := a.password("Password: ", flags.passwordStdin)
		if err != nil {
			return err
		}
		access.Password = password
	}
	client := a.sources(nil)
	client.Timeout = flags.timeout
	added, err := client.AddRepository(ctx, source.Repository{
		Name: name, URL: address, Username: access.Username, Password: access.Password, PassCredentialsAll: access.PassCredentials,
		CertFile: access.CertFile, KeyFile: access.KeyFile, CAFile: access.CAFile, InsecureSkipTLSVerify: access.InsecureSkipTLSVerify,
	}, flags.force)
	if err != nil {
		return err
	}
	if added {
		_, err = fmt.Fprintf(a.streams.Out, "%q has been added to your repositories\n", name)
	} else {
		_, err = fmt.Fprintf(a.streams.Out, "%q already exists with the same configuration, skipping\n", name)
	}
	return err
}

func newRepoList(a *app) *cobra.Command {
	var output outputFlags
	var noHeaders bool
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "list chart repositories",
		Args:    noArgs,
		RunE: a.run(func(*cobra.Command, []string) error {
			all, err := a.sources(nil).Repositories()
			if err != nil {
				return err
			}
			if len(all) == 0 && output.format.value == ui.Table {
				fmt.Fprintln(a.streams.Err, "no repositories to show")
				return nil
			}
			rows := make([]ui.RepositoryRow, len(all))
			for i, r := range all {
				rows[i] = ui.RepositoryRow{Name: r.Name, URL: r.URL}
			}
			return ui.WriteRepositories(a.streams.Out, rows, output.format.value, noHeaders)
		}),
	}
	cmd.Flags().BoolVar(&noHeaders, "no-headers", false, "leave the headers out")
	output.add(cmd.Flags())
	a.completeFlags(cmd)
	return cmd
}

func newRepoUpdate(a *app) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "update [NAME...]",
		Aliases: []string{"up"},
		Short:   "fetch the indexes of chart repositories again",
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			client := a.sources(nil)
			client.Timeout = timeout
			return updateRepositories(cmd.Context(), client, a.streams.Out, args)
		}),
		ValidArgsFunction: a.completeRepositories,
	}
	cmd.Flags().DurationVar(&timeout, "timeout", source.DefaultTimeout, "limit for fetching each index")
	return cmd
}

func updateRepositories(ctx context.Context, client *source.Client, out io.Writer, names []string) error {
	all, err := client.Repositories()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return diag.Problem{Summary: "no repositories found. You must add one before updating"}
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(r source.Repository) bool { return r.Name == name }) {
			return diag.Problem{Summary: fmt.Sprintf("no repositories found matching '%s'.  Nothing will be updated", name)}
		}
	}
	all = slices.DeleteFunc(all, func(r source.Repository) bool { return len(names) > 0 && !slices.Contains(names, r.Name) })
	fmt.Fprintln(out, "Hang tight while we grab the latest from your chart repositories...")
	if failed := client.UpdateAll(ctx, all, tellUpdated(out)); len(failed) > 0 {
		return fmt.Errorf("failed to update the following repositories: %s", failed)
	}
	fmt.Fprintln(out, "Update Complete. ⎈Happy Helming!⎈")
	return nil
}

// tellUpdated writes what Helm writes of each repository. It may be called by
// several goroutines.
func tellUpdated(out io.Writer) func(source.Repository, error) {
	var one sync.Mutex
	return func(r source.Repository, err error) {
		one.Lock()
		defer one.Unlock()
		if err != nil {
			fmt.Fprintf(out, "...Unable to get an update from the %q chart repository (%s):\n\t%s\n", r.Name, source.Mask(r.URL), strings.ReplaceAll(err.Error(), "\n", "\n\t"))
		} else {
			fmt.Fprintf(out, "...Successfully got an update from the %q chart repository\n", r.Name)
		}
	}
}

func newRepoRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME...",
		Aliases: []string{"rm"},
		Short:   "remove chart repositories from the list",
		Args:    needs(1, -1, "the name of a repository"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			client := a.sources(nil)
			for _, name := range args {
				if err := client.RemoveRepository(cmd.Context(), name); err != nil {
					return err
				}
				fmt.Fprintf(a.streams.Out, "%q has been removed from your repositories\n", name)
			}
			return nil
		}),
		ValidArgsFunction: a.completeRepositories,
	}
}

func newRepoIndex(a *app) *cobra.Command {
	var opts source.IndexOptions
	cmd := &cobra.Command{
		Use:   "index FOLDER",
		Short: "write the index of the charts in a folder",
		Long:  "Writes index.yaml for the archives (.tgz) in a folder and in the folders in it, to make a chart repository of it.",
		Args:  needs(1, 1, "a folder"),
		RunE:  a.run(func(_ *cobra.Command, args []string) error { return source.IndexFolder(args[0], opts) }),
	}
	f := cmd.Flags()
	f.StringVar(&opts.URL, "url", "", "URL that the folder will have")
	f.StringVar(&opts.Merge, "merge", "", "an index whose charts are kept, where the folder does not have them")
	f.BoolVar(&opts.JSON, "json", false, "write JSON, which is read faster")
	return cmd
}

// password reads a password from standard input, or asks for it.
func (a *app) password(prompt string, stdin bool) (string, error) {
	if !stdin {
		if a.streams.ReadSecret == nil {
			return "", asUsage(errors.New("a password is needed: give --password-stdin, or run this in a terminal"))
		}
		fmt.Fprint(a.streams.Err, prompt)
		secret, err := a.streams.ReadSecret()
		fmt.Fprintln(a.streams.Err)
		return secret, err
	}
	data, err := io.ReadAll(a.streams.In)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}
