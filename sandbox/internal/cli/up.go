package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pintle-dev/pintle/sandbox/internal/cluster"
	"github.com/pintle-dev/pintle/sandbox/internal/host"
)

// upFlags are the flags of up and check.
type upFlags struct {
	network       string
	apiserverArgs []string
}

func newUp(c *common, s *streams) *cobra.Command {
	flags := &upFlags{}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster and wait until it is ready",
		Long: "Start a cluster and wait until it is ready. One that is up and healthy is left alone;\n" +
			"what an earlier one left behind after a crash is removed first. One machine runs one sandbox.",
		RunE: func(cmd *cobra.Command, _ []string) error { return up(cmd.Context(), c, s, flags) },
	}
	cmd.Flags().StringVar(&flags.network, "network", cluster.DefaultNetwork, "an IPv4 /16 that nothing on this machine uses, for pods and Services")
	cmd.Flags().StringArrayVar(&flags.apiserverArgs, "apiserver-arg", nil, "an argument to add to the API server's, as --flag=value (repeatable)")
	return cmd
}

func up(ctx context.Context, c *common, s *streams, flags *upFlags) error {
	began := time.Now()
	options, err := upOptions(ctx, c, s, flags)
	if err != nil {
		return err
	}
	err = cluster.Up(ctx, options)
	if errors.Is(err, cluster.ErrAlreadyUp) {
		fmt.Fprintf(s.out, "the sandbox is already up and healthy; its kubeconfig is %s\n", options.Layout.Kubeconfig())
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w\nthe components' logs are in %s; `pintle-sandbox down` removes what was started", err, filepath.Dir(options.Layout.Log("any")))
	}
	fmt.Fprintf(s.out, "the sandbox is up after %.1f s; its kubeconfig is %s\n", time.Since(began).Seconds(), options.Layout.Kubeconfig())
	return nil
}

func upOptions(ctx context.Context, c *common, s *streams, flags *upFlags) (cluster.Options, error) {
	layout, network, programs, err := check(ctx, c, s, flags)
	if err != nil {
		return cluster.Options{}, err
	}
	images, imagesDir, err := openImages()
	if err != nil {
		return cluster.Options{}, err
	}
	return cluster.Options{
		Layout: layout, Network: network, Programs: programs, Images: images, ImagesDir: imagesDir,
		APIServerArgs: flags.apiserverArgs, Now: time.Now,
		Progress: func(step string, took time.Duration) { fmt.Fprintf(s.out, "%6.2f s  %s\n", took.Seconds(), step) },
		Note:     func(text string) { fmt.Fprintf(s.out, "          %s\n", text) },
	}, nil
}

func newCheck(c *common, s *streams) *cobra.Command {
	flags := &upFlags{}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what this machine lacks to run a sandbox",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, _, _, err := check(cmd.Context(), c, s, flags); err != nil {
				return err
			}
			fmt.Fprintln(s.out, "this machine can run a sandbox")
			return nil
		},
	}
	cmd.Flags().StringVar(&flags.network, "network", cluster.DefaultNetwork, "an IPv4 /16 that nothing on this machine uses, for pods and Services")
	return cmd
}

// check names on stderr what is missing, each with how to get it.
func check(ctx context.Context, c *common, s *streams, flags *upFlags) (cluster.Layout, host.Network, cluster.Programs, error) {
	fail := func(err error) (cluster.Layout, host.Network, cluster.Programs, error) {
		return cluster.Layout{}, host.Network{}, cluster.Programs{}, err
	}
	layout, err := c.layout()
	if err != nil {
		return fail(usageError{err})
	}
	network, err := host.ParseNetwork(flags.network)
	if err != nil {
		return fail(usageError{err})
	}
	programs, lacks, err := cluster.FindPrograms()
	if err != nil {
		return fail(err)
	}
	lacks = append(lacks, host.Check(ctx, layout.Dir, network)...)
	if len(lacks) == 0 {
		return layout, network, programs, nil
	}
	for _, lack := range lacks {
		fmt.Fprintf(s.err, "missing: %s\n         %s\n", lack.What, lack.Remedy)
	}
	if packages := packagesOf(lacks); len(packages) > 0 {
		fmt.Fprintf(s.err, "all packages at once: sandbox/install-packages.sh, or apt-get install --no-install-recommends %s\n", strings.Join(packages, " "))
	}
	return fail(errors.New("this machine cannot run a sandbox as it is"))
}

func packagesOf(lacks []host.Lack) []string {
	var packages []string
	seen := map[string]bool{"": true}
	for _, lack := range lacks {
		if !seen[lack.Package] {
			seen[lack.Package] = true
			packages = append(packages, lack.Package)
		}
	}
	return packages
}

func newDown(c *common, s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "End the cluster and remove every trace of it, its volumes included",
		RunE: func(cmd *cobra.Command, _ []string) error {
			layout, err := c.layout()
			if err != nil {
				return usageError{err}
			}
			if os.Geteuid() != 0 {
				return errors.New("this needs root: it unmounts, and removes network interfaces")
			}
			began := time.Now()
			err = cluster.Down(cmd.Context(), layout)
			if errors.Is(err, cluster.ErrNotUp) {
				fmt.Fprintf(s.out, "there is no sandbox in %s\n", layout.Dir)
				return nil
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "the sandbox is gone after %.1f s\n", time.Since(began).Seconds())
			return nil
		},
	}
}
