package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pintle-dev/pintle/sandbox/internal/cluster"
)

func newStatus(c *common, s *streams) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how the cluster and each of its components are; exit code 1 if not well",
		RunE: func(cmd *cobra.Command, _ []string) error {
			layout, err := c.layout()
			if err != nil {
				return usageError{err}
			}
			report, err := cluster.Status(cmd.Context(), layout)
			if err != nil {
				return err
			}
			switch output {
			case "json":
				encoder := json.NewEncoder(s.out)
				encoder.SetIndent("", "  ")
				err = encoder.Encode(report)
			case "table":
				err = printReport(s.out, report)
			default:
				return usageError{fmt.Errorf("unknown output %q: table or json", output)}
			}
			if err != nil {
				return err
			}
			if report.Problem() != nil {
				return errors.New("the sandbox is not well")
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return cmd
}

func printReport(w io.Writer, report cluster.Report) error {
	fmt.Fprintf(w, "Kubernetes %s at %s, in %s since %s\n\n", report.Version, report.Server, report.Dir, report.Created.Local().Format(time.DateTime))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tPID\tSTATE")
	for _, component := range report.Components {
		fmt.Fprintf(table, "%s\t%d\t%s\n", component.Name, component.PID, stateOf(component.Problem))
	}
	fmt.Fprintf(table, "node %s\t\t%s\n", cluster.NodeName, stateOf(report.NodeProblem))
	return table.Flush()
}

func stateOf(problem string) string {
	if problem == "" {
		return "well"
	}
	return problem
}

func newKubeconfig(c *common, s *streams) *cobra.Command {
	var path bool
	cmd := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the administrator's kubeconfig, or its path",
		RunE: func(*cobra.Command, []string) error {
			layout, err := c.layout()
			if err != nil {
				return usageError{err}
			}
			raw, err := os.ReadFile(layout.Kubeconfig())
			if errors.Is(err, fs.ErrNotExist) {
				return cluster.ErrNotUp
			}
			if err != nil {
				return fmt.Errorf("reading the kubeconfig: %w", err)
			}
			if path {
				_, err = fmt.Fprintln(s.out, layout.Kubeconfig())
			} else {
				_, err = s.out.Write(raw)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&path, "path", false, "print where the file is")
	return cmd
}

func newLogs(c *common, s *streams) *cobra.Command {
	var tail int
	cmd := &cobra.Command{
		Use:   "logs COMPONENT",
		Short: "Print the log of a component",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			layout, err := c.layout()
			if err != nil {
				return usageError{err}
			}
			file, err := os.Open(layout.Log(args[0]))
			if errors.Is(err, fs.ErrNotExist) {
				return noLog(layout, args[0])
			}
			if err != nil {
				return fmt.Errorf("reading the log of %s: %w", args[0], err)
			}
			defer file.Close()
			if tail > 0 {
				return printTail(s.out, file, tail)
			}
			_, err = io.Copy(s.out, file)
			return err
		},
		ValidArgsFunction: completeComponents(c),
	}
	cmd.Flags().IntVar(&tail, "tail", 0, "print only this many of the last lines")
	return cmd
}

// noLog says which logs there are.
func noLog(layout cluster.Layout, name string) error {
	names, err := cluster.Components(layout)
	if err != nil {
		return err
	}
	return usageError{fmt.Errorf("there is no log of %q; components are %v", name, names)}
}

func printTail(w io.Writer, r io.Reader, count int) error {
	var last []string
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			last = append(last, line)
		}
		if len(last) > count {
			last = last[1:]
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	for _, line := range last {
		if _, err := io.WriteString(w, line); err != nil {
			return err
		}
	}
	return nil
}

func completeComponents(c *common) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		layout, err := c.layout()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		names, err := cluster.Components(layout)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func newLoad(c *common, s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "load IMAGE.tar",
		Short: "Put the images of a docker archive or an OCI image layout into the cluster",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			layout, err := c.layout()
			if err != nil {
				return usageError{err}
			}
			refs, err := cluster.Load(cmd.Context(), layout, args[0])
			if err != nil {
				return err
			}
			for _, ref := range refs {
				fmt.Fprintln(s.out, ref)
			}
			return nil
		},
	}
}

func newImages(c *common, s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "images",
		Short: "Make the sandbox's images that are missing or out of date, and list all",
		Long: "Make the sandbox's images that are missing or out of date, and list all. A cluster that is up\n" +
			"gets the new content of images that it has.",
		RunE: func(cmd *cobra.Command, _ []string) error { return images(cmd.Context(), c, s) },
	}
}

func images(ctx context.Context, c *common, s *streams) error {
	layout, err := c.layout()
	if err != nil {
		return usageError{err}
	}
	programs, lacks, err := cluster.FindPrograms()
	if err != nil {
		return err
	}
	if len(lacks) > 0 {
		return fmt.Errorf("%s: %s", lacks[0].What, lacks[0].Remedy)
	}
	store, _, err := openImages()
	if err != nil {
		return err
	}
	note := func(text string) { fmt.Fprintln(s.err, text) }
	if err := cluster.MakeImages(ctx, programs, store, note); err != nil {
		return err
	}
	refreshed, err := cluster.Refresh(ctx, layout, store)
	if err != nil {
		return err
	}
	for _, ref := range refreshed {
		note("refreshed " + ref + " in the cluster")
	}
	refs, err := store.References()
	if err != nil {
		return err
	}
	for _, ref := range refs {
		fmt.Fprintln(s.out, ref)
	}
	return nil
}
