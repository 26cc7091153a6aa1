// Package cli is the command line of pintle-sandbox. It alone prints and decides
// exit codes: 0 when what was asked for is so, 1 when not, 2 for wrong usage.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pintle-dev/pintle/sandbox/internal/cluster"
	"github.com/pintle-dev/pintle/sandbox/internal/image"
)

const (
	// dirVariable names the state folder where --dir does not.
	dirVariable = "PINTLE_SANDBOX_DIR"
	// cacheVariable names the folder of what is built once and kept, images among
	// it, as it does for build.sh.
	cacheVariable = "PINTLE_SANDBOX_CACHE"
)

// usageError is a mistake in the command line.
type usageError struct{ error }

// Main runs the command line args and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	// A shell that became root may lack the folders of ip and nft.
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin")
	// Interrupted, a command stops waiting and says how far it came.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot(&streams{out: stdout, err: stderr})
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "error:", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		return 2
	}
	return 1
}

// streams are where commands print: out takes what was asked for, err the rest.
type streams struct {
	out, err io.Writer
}

// common are the flags of every command.
type common struct {
	dir string
}

func (c *common) layout() (cluster.Layout, error) { return cluster.NewLayout(c.dir) }

func newRoot(s *streams) *cobra.Command {
	c := &common{}
	root := &cobra.Command{
		Use:           "pintle-sandbox",
		Short:         "A real Kubernetes on this machine, to try and test releases on",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see pintle-sandbox --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	dir := os.Getenv(dirVariable)
	if dir == "" {
		dir = cluster.DefaultDir
	}
	root.PersistentFlags().StringVar(&c.dir, "dir", dir, "the sandbox's state folder (also $"+dirVariable+")")
	root.AddCommand(
		newUp(c, s), newDown(c, s), newStatus(c, s), newCheck(c, s), newKubeconfig(c, s), newLoad(c, s), newLogs(c, s),
		newStop(c), newStart(c), newImages(c, s), newServeImages(), newProvision(),
	)
	for _, command := range root.Commands() {
		wrapUsage(command)
	}
	return root
}

// wrapUsage marks a command's complaints about its arguments as wrong usage.
func wrapUsage(command *cobra.Command) {
	check := command.Args
	if check == nil {
		check = cobra.NoArgs
	}
	command.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// imagesDir is where images are kept between sandboxes.
func imagesDir() (string, error) {
	if dir := os.Getenv(cacheVariable); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("finding the cache folder: %w", err)
		}
		return filepath.Join(abs, "images"), nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder to keep images in: %w; set $%s", err, cacheVariable)
	}
	return filepath.Join(cache, "pintle", "sandbox-build", "images"), nil
}

// openImages opens the store of the images that the sandbox makes.
func openImages() (*image.Store, string, error) {
	dir, err := imagesDir()
	if err != nil {
		return nil, "", err
	}
	return image.NewStore(dir), dir, nil
}
