// Command bench measures pintle beside Helm on one cluster, in one run: the
// tools take turns (A B A B ...), and ratios between the tools are the result,
// never times. It starts no cluster; `make bench` does. What it has found is
// written after each scenario, so that a run that is cut short loses nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "folder of the binaries pintle, helm and helm3")
	flag.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "the cluster's kubeconfig")
	flag.StringVar(&o.charts, "charts", os.Getenv("PINTLE_CHARTS"), "folder of chart archives for the template scenarios; none: they are left out")
	flag.StringVar(&o.out, "out", "bench/results", "folder for latest.json, latest.md and the pictures")
	flag.StringVar(&o.machine, "machine", "", "a description of the machine, for the table")
	flag.StringVar(&o.page, "page", "", "a Markdown file with the lines `<!-- bench -->` and `<!-- /bench -->`, between which the tables go; none: only latest.md")
	flag.IntVar(&o.rounds, "rounds", 5, "counted rounds; long scenarios have fewer, which the table says")
	flag.DurationVar(&o.limit, "limit", 29*time.Minute, "no scenario begins, and no further round, after that time")
	flag.BoolVar(&o.keep, "keep", false, "leave the namespaces for the next run, which then need not be filled")
	only := flag.String("only", "", "comma-separated beginnings of scenario names; none: all. What was measured of others before stays in the result")
	list := flag.Bool("list", false, "list the scenarios and end")
	flag.Parse()
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	if *list {
		for _, s := range (&bench{}).scenarios() {
			fmt.Printf("%-22s %s\n", s.name, s.about)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	bin, kubeconfig, charts, out, machine string
	page                                  string
	rounds                                int
	limit                                 time.Duration
	keep                                  bool
	only                                  []string
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

// run measures what is wanted. A scenario that fails does not keep the others
// from being measured; it is in the table, and in the error.
func run(ctx context.Context, o options) error {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	var faults []error
	for _, s := range b.scenarios() {
		if !o.wanted(s.name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return errors.Join(append(faults, err)...)
		}
		rows := b.measure(ctx, s)
		for _, r := range rows {
			if r.Failed {
				faults = append(faults, fmt.Errorf("%s: %s", r.Scenario, r.Note))
			}
		}
		fmt.Print(table(rows))
		if err := b.results.put(rows); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

// measure runs one scenario within its time.
func (b *bench) measure(ctx context.Context, s scenario) []row {
	began := time.Now()
	if began.After(b.deadline) {
		return []row{{Scenario: s.name, Note: "left out: the time was over"}}
	}
	fmt.Fprintf(os.Stderr, "%s  %s ...\n", time.Since(b.began).Round(time.Second), s.name)
	b.until = began.Add(s.budget)
	if b.until.After(b.deadline) {
		b.until = b.deadline
	}
	rows, err := s.run(ctx)
	var left leftOut
	switch {
	case errors.As(err, &left):
		rows = append(rows, row{Scenario: s.name, Note: "left out: " + string(left)})
	case err != nil:
		rows = append(rows, row{Scenario: s.name, Note: "failed: " + firstLines(err.Error(), 3), Failed: true})
	}
	for i := range rows {
		rows[i].Date = began.UTC().Truncate(time.Second)
	}
	return rows
}

// leftOut is why a scenario was not measured.
type leftOut string

// Error is the reason.
func (l leftOut) Error() string { return string(l) }

func firstLines(text string, n int) string {
	lines := strings.SplitN(text, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], " ")
}
