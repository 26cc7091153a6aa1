package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/spf13/cobra"
)

func newRegistry(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "registry",
		Short: "log in to and out of OCI registries",
		Args:  subcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRegistryLogin(a), newRegistryLogout(a))
	return cmd
}

func newRegistryLogin(a *app) *cobra.Command {
	var access source.Access
	var stdin bool
	cmd := &cobra.Command{
		Use:     "login HOST",
		Short:   "log in to a registry",
		Long:    "Checks a user name and a password with a registry and keeps them where Helm does, in a credential helper of Docker if one is set up.",
		Example: "  echo \"$TOKEN\" | pintle registry login registry.example.com -u me --password-stdin",
		Args:    needs(1, 1, "the host of a registry"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			login, err := a.askLogin(access, stdin)
			if err != nil {
				return err
			}
			return a.sources(a.streams.Out).Login(cmd.Context(), args[0], login)
		}),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return nothing() },
	}
	f := cmd.Flags()
	f.StringVarP(&access.Username, "username", "u", "", "user name")
	f.StringVarP(&access.Password, "password", "p", "", "password or identity token; --password-stdin is safer")
	f.BoolVar(&stdin, "password-stdin", false, "read the password or identity token from standard input")
	f.BoolVar(&access.InsecureSkipTLSVerify, "insecure", false, "do not check the registry's certificate, which makes the connection insecure")
	f.BoolVar(&access.PlainHTTP, "plain-http", false, "talk to the registry without TLS")
	addTLS(f, &access)
	return cmd
}

func newRegistryLogout(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "logout HOST",
		Short: "log out of a registry",
		Args:  needs(1, 1, "the host of a registry"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.sources(a.streams.Out).Logout(cmd.Context(), args[0])
		}),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return nothing() },
	}
}

// askLogin completes a login: what was not given is asked for.
func (a *app) askLogin(access source.Access, stdin bool) (source.Access, error) {
	if access.Password != "" && !stdin {
		a.warn("a password among the arguments is seen by others: --password-stdin is safer")
		return access, nil
	}
	if access.Username == "" && !stdin && a.streams.ReadSecret != nil {
		fmt.Fprint(a.streams.Err, "Username: ")
		line, err := bufio.NewReader(a.streams.In).ReadString('\n')
		if err != nil {
			return access, fmt.Errorf("reading the user name: %w", err)
		}
		access.Username = strings.TrimSpace(line)
	}
	prompt := "Password: "
	if access.Username == "" {
		prompt = "Token: "
	}
	var err error
	if access.Password, err = a.password(prompt, stdin); err == nil && access.Password == "" {
		err = asUsage(errors.New("the password is empty"))
	}
	return access, err
}

func newPush(a *app) *cobra.Command {
	var access source.Access
	cmd := &cobra.Command{
		Use:     "push ARCHIVE oci://HOST/PATH",
		Short:   "push a chart to a registry",
		Long:    "Pushes a chart's archive to a registry, and its signature too if there is one beside it.",
		Example: "  pintle push web-1.2.0.tgz oci://registry.example.com/charts",
		Args:    needs(2, 2, "an archive and a registry"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.sources(a.streams.Out).Push(cmd.Context(), args[0], args[1], access)
		}),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(given) {
			case 0:
				return nil, cobra.ShellCompDirectiveDefault // a path
			case 1:
				return []string{ociPrefix}, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
			}
			return nothing()
		},
	}
	addAccess(cmd.Flags(), &access)
	return cmd
}

// readSecret reads a line without showing it; nil where there is no terminal.
func readSecret(in *os.File, isTerminal bool, read func(fd int) ([]byte, error)) func() (string, error) {
	if !isTerminal {
		return nil
	}
	return func() (string, error) {
		data, err := read(int(in.Fd()))
		return string(data), err
	}
}
