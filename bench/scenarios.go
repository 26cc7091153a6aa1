package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// scenario is something to measure; it gives one row or several.
type scenario struct {
	name string
	run  func(ctx context.Context) ([]row, error)
}

func (b *bench) scenarios() []scenario {
	list := []scenario{
		{"version", b.version},
		{"template", b.template},
		{"200 ConfigMaps", func(ctx context.Context) ([]row, error) { return b.life(ctx, "200 ConfigMaps", configMaps(200), 1) }},
		{"1000 ConfigMaps", func(ctx context.Context) ([]row, error) { return b.life(ctx, "1000 ConfigMaps", configMaps(1000), 2) }},
		{"40 kinds", func(ctx context.Context) ([]row, error) {
			return b.life(ctx, "40 objects of many kinds", manyKinds(), 1)
		}},
		{"hooks 5", func(ctx context.Context) ([]row, error) { return b.hookGap(ctx, 5) }},
		{"list", b.list},
		{"readiness", b.readiness},
		{"5000 ConfigMaps", func(ctx context.Context) ([]row, error) { return b.life(ctx, "5000 ConfigMaps", configMaps(5000), 5) }},
	}
	return list
}

// turns runs do for each tool in turn, first a round that is not counted.
func (b *bench) turns(ctx context.Context, rounds int, do func(t tool, counted bool) error) error {
	for round := 0; round <= rounds; round++ {
		for _, t := range b.tools {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(t, round > 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) version(ctx context.Context) ([]row, error) {
	r := newRow("version", "print the version")
	err := b.turns(ctx, max(b.rounds, 10), func(t tool, counted bool) error {
		s, err := b.timed(ctx, t, "version")
		if counted {
			r.Samples[t.name] = append(r.Samples[t.name], s)
		}
		return err
	})
	return []row{*r}, err
}

// template renders every chart of the folder; a sample is all of them.
func (b *bench) template(ctx context.Context) ([]row, error) {
	archives, err := filepath.Glob(filepath.Join(b.charts, "*.tgz"))
	if b.charts == "" || err != nil || len(archives) == 0 {
		fmt.Fprintln(os.Stderr, "  left out: no charts")
		return nil, err
	}
	var rows []row
	for _, a := range archives {
		name := strings.TrimSuffix(filepath.Base(a), ".tgz")
		r := newRow("template "+name, "render a public chart")
		err := b.turns(ctx, 3, func(t tool, counted bool) error {
			s, err := b.timed(ctx, t, "template", "r", a)
			if counted {
				r.Samples[t.name] = append(r.Samples[t.name], s)
			}
			return err
		})
		if err != nil {
			fmt.Fprintf(os.Stderr, "  %s left out: %v\n", name, strings.SplitN(err.Error(), "\n", 2)[0])
			continue
		}
		rows = append(rows, *r)
	}
	return []row{middle(rows, b.tools[0].name)}, nil
}

// life installs, upgrades, rolls back and uninstalls a chart. Large charts get
// fewer rounds: divisor says how many times fewer.
func (b *bench) life(ctx context.Context, what string, files map[string]string, divisor int) ([]row, error) {
	dir, err := b.chart(files)
	if err != nil {
		return nil, err
	}
	ns := "bench"
	parts := []struct {
		name string
		args []string
	}{
		{"install", []string{"install", "r", dir}},
		{"upgrade, unchanged", []string{"upgrade", "r", dir}},
		{"upgrade, changed", []string{"upgrade", "r", dir, "--set", "value=changed"}},
		{"rollback", []string{"rollback", "r"}},
		{"uninstall", []string{"uninstall", "r"}},
	}
	rows := make([]*row, len(parts))
	for i, p := range parts {
		rows[i] = newRow(p.name+" "+what, strings.Join(p.args[:1], " "))
	}
	defer func() {
		_, _ = b.timed(context.WithoutCancel(ctx), b.tools[0], "uninstall", "r", "-n", ns, "--ignore-not-found")
	}()
	err = b.turns(ctx, max(1, b.rounds/divisor), func(t tool, counted bool) error {
		for i, p := range parts {
			s, err := b.timed(ctx, t, append(p.args, "-n", ns)...)
			if err != nil {
				return err
			}
			if counted {
				rows[i].Samples[t.name] = append(rows[i].Samples[t.name], s)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range b.tools { // once more through the proxy, to count requests
		for i, p := range parts {
			n, err := b.counted(ctx, t, append(p.args, "-n", ns)...)
			if err != nil {
				return nil, err
			}
			rows[i].Requests[t.name] = n
		}
	}
	out := make([]row, len(rows))
	for i, r := range rows {
		out[i] = *r
	}
	return out, nil
}
