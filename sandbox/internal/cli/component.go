package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/pintle-dev/pintle/sandbox/internal/cluster"
	"github.com/pintle-dev/pintle/sandbox/internal/image"
	"github.com/pintle-dev/pintle/sandbox/internal/provision"
	"github.com/pintle-dev/pintle/sandbox/internal/registry"
)

func newStop(c *common) *cobra.Command {
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "stop COMPONENT",
		Short: "End one component, to see what happens without it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			layout, err := c.layout()
			if err != nil {
				return usageError{err}
			}
			return cluster.Stop(cmd.Context(), layout, args[0], grace)
		},
		ValidArgsFunction: completeComponents(c),
	}
	cmd.Flags().DurationVar(&grace, "grace", 5*time.Second, "how long the component has to end by itself before it is killed; 0 kills at once")
	return cmd
}

func newStart(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "start COMPONENT",
		Short: "Start a component that was stopped, and wait until it works",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			layout, err := c.layout()
			if err != nil {
				return usageError{err}
			}
			return cluster.Start(cmd.Context(), layout, args[0])
		},
		ValidArgsFunction: completeComponents(c),
	}
}

// newServeImages is the component registry. Sandboxes start it; people do not.
func newServeImages() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:    "serve-images STORE...",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			handler := &registry.Handler{}
			for _, dir := range args {
				handler.Stores = append(handler.Stores, image.NewStore(dir))
			}
			server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
			defer context.AfterFunc(cmd.Context(), func() { server.Close() })()
			if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serving images: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&address, "address", "127.0.0.1:5000", "the address to listen on")
	return cmd
}

// newProvision is the component provisioner. Sandboxes start it; people do not.
func newProvision() *cobra.Command {
	var kubeconfig string
	options := provision.Options{}
	cmd := &cobra.Command{
		Use:    "provision DIR",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return fmt.Errorf("reading %s: %w", kubeconfig, err)
			}
			config.QPS, config.Burst = 200, 400
			options.Dir = args[0]
			return provision.Run(cmd.Context(), config, options)
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	cmd.Flags().StringVar(&options.Node, "node", "", "the name of the only node")
	cmd.Flags().StringVar(&options.Health, "health", "", "the address to answer health questions on")
	return cmd
}
