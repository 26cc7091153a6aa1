// Command bench measures pintle beside Helm on one cluster, in one run: the
// tools take turns (A B A B ...), a warm-up round is not counted, and ratios
// between the tools are the result. It starts no cluster; `make bench` does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "folder of the binaries pintle, helm and helm3")
	flag.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "the cluster's kubeconfig")
	flag.StringVar(&o.charts, "charts", os.Getenv("PINTLE_CHARTS"), "folder of chart archives for the template scenario; none: left out")
	flag.StringVar(&o.out, "out", "bench/results", "folder for latest.json, latest.md and latest.svg")
	flag.IntVar(&o.rounds, "rounds", 5, "counted rounds")
	only := flag.String("only", "", "comma-separated beginnings of scenario names; none: all")
	flag.Parse()
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	bin, kubeconfig, charts, out string
	rounds                       int
	only                         []string
}

// wanted tells whether a scenario was asked for.
func (o options) wanted(name string) bool {
	for _, p := range o.only {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return len(o.only) == 0
}

func run(ctx context.Context, o options) error {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	var rows []row
	for _, s := range b.scenarios() {
		if !o.wanted(s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ...\n", s.name)
		more, err := s.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		rows = append(rows, more...)
		fmt.Print(table(more))
	}
	return write(o.out, rows)
}
