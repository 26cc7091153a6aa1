package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// scenario is something to measure; it gives one row or several.
type scenario struct {
	name, about string
	// budget is how long it may begin further rounds.
	budget time.Duration
	run    func(ctx context.Context) ([]row, error)
}

// scenarios are in the order in which they are measured: what matters most and
// takes least comes first.
func (b *bench) scenarios() []scenario {
	return []scenario{
		{"version", "start-up, and the size of the binaries", time.Minute, b.version},
		{"template", "real charts: a small, a medium and a large one, and the median over all", 3 * time.Minute, b.template},
		{"200 ConfigMaps", "install, upgrades, rollback, uninstall", 4 * time.Minute, b.lifeOf("200 ConfigMaps", life{files: configMaps(200), objects: 200, rounds: b.rounds})},
		{"hooks 5", "from one Job's completion to the next one's creation, in a chain of 5", 4 * time.Minute, b.hookChain(5, 2)},
		{"readiness", "from the last pod's Ready to the end of --wait", 2 * time.Minute, b.readiness},
		{"list", "200 releases of 10 revisions of 50 kB", 4 * time.Minute, b.list},
		{"history", "history and status of one of them", time.Minute, b.history},
		{"40 kinds", "one object of each of 40 kinds", 2 * time.Minute, b.lifeOf("40 kinds", life{files: kinds(), rounds: b.rounds})},
		{"tests", "10 tests, one after another and side by side", 4 * time.Minute, b.tests},
		{"50 ConfigMaps", "for the cost against size", time.Minute, b.lifeOf("50 ConfigMaps", life{files: configMaps(50), objects: 50, rounds: 3, peers: 1})},
		{"1000 ConfigMaps", "install, upgrades, rollback, uninstall", 4 * time.Minute, b.lifeOf("1000 ConfigMaps", life{files: configMaps(1000), objects: 1000, rounds: 3, peers: 1})},
		{"releases", "list of 10, 100 and 1,000 releases, for the cost against size", 3 * time.Minute, b.releases},
		{"5000 ConfigMaps", "install, upgrade unchanged, uninstall", 4 * time.Minute, b.lifeOf("5000 ConfigMaps", life{files: configMaps(5000), objects: 5000, rounds: 2, peers: 1, cold: true, short: true})},
		{"hooks 20", "the same in a chain of 20", 4 * time.Minute, b.hookChain(20, 1)},
	}
}

// turn is one round of one tool.
type turn struct {
	tool    tool
	counted bool
}

// turns runs do for each tool in turn: first a round that is not counted, then
// those that are, as long as the scenario's time lasts. At least one is counted.
func (b *bench) turns(ctx context.Context, tools []tool, rounds int, do func(turn) error) error {
	for round := 0; round <= rounds; round++ {
		if round > 1 && time.Now().After(b.until) {
			fmt.Fprintf(os.Stderr, "  its time is over after %d rounds\n", round-1)
			return nil
		}
		for _, t := range tools {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(turn{t, round > 0}); err != nil {
				return err
			}
		}
	}
	return nil
}

// peers are pintle and the first n tools that it is compared with.
func (b *bench) peers(n int) []tool { return slices.Clone(b.tools[:min(n+1, len(b.tools))]) }

func (b *bench) version(ctx context.Context) ([]row, error) {
	r := newRow("version", "print the version")
	for _, t := range b.tools {
		if info, err := os.Stat(t.path); err == nil {
			r.Binary[t.name] = info.Size()
		}
	}
	err := b.turns(ctx, b.tools, max(b.rounds, 20), func(at turn) error {
		s, err := b.timed(ctx, at.tool, "version")
		r.add(at, s)
		return err
	})
	return []row{*r}, err
}

// life is a release's life: how many rounds, and beside how many peers.
type life struct {
	files map[string]string
	// objects is the size for the cost against size; 0 where that says nothing.
	objects, rounds, peers int
	// cold has no round that is not counted, and so no count of requests; short
	// leaves out what changes every object again.
	cold, short bool
}

// part is one command of a release's life.
type part struct {
	name string
	args []string
}

func (l life) parts(dir string) []part {
	all := []part{
		{"install", []string{"install", "r", dir}},
		{"upgrade, unchanged", []string{"upgrade", "r", dir}},
		{"upgrade, changed", []string{"upgrade", "r", dir, "--set", "value=changed"}},
		{"rollback", []string{"rollback", "r"}},
		{"uninstall", []string{"uninstall", "r"}},
	}
	if l.short {
		return []part{all[0], all[1], all[4]}
	}
	return all
}

// lifeOf installs, upgrades, rolls back and uninstalls a chart. The round that
// is not counted goes through the proxy, which counts its requests instead.
func (b *bench) lifeOf(what string, l life) func(context.Context) ([]row, error) {
	return func(ctx context.Context) ([]row, error) {
		dir, err := b.chart(l.files)
		if err != nil {
			return nil, err
		}
		if err := b.furnish(ctx); err != nil {
			return nil, err
		}
		parts := l.parts(dir)
		rows := make([]*row, len(parts))
		for i, p := range parts {
			rows[i] = newRow(p.name+" "+what, strings.Join(p.args[:1], " "))
			rows[i].Size, rows[i].Series = l.objects, p.name
		}
		defer b.remove(ctx, "r")
		tools := b.tools
		if l.peers > 0 {
			tools = b.peers(l.peers)
		}
		rounds := l.rounds
		if l.cold {
			rounds--
		}
		err = b.turns(ctx, tools, rounds, func(at turn) error {
			for i, p := range parts {
				if err := b.livePart(ctx, rows[i], at, p, l.cold); err != nil {
					return err
				}
			}
			return nil
		})
		return measured(rows), err
	}
}

func (b *bench) livePart(ctx context.Context, r *row, at turn, p part, cold bool) error {
	args := slices.Concat(p.args, []string{"-n", place})
	if at.counted || cold {
		s, err := b.timed(ctx, at.tool, args...)
		r.add(turn{at.tool, true}, s)
		return err
	}
	n, err := b.counted(ctx, at.tool, args...)
	r.Requests[at.tool.name] = n
	return err
}

// remove takes a release away that a scenario may have left.
func (b *bench) remove(ctx context.Context, name string) {
	_, _ = b.timed(context.WithoutCancel(ctx), b.tools[0], "uninstall", name, "-n", place, "--ignore-not-found") // it is usually gone
}

// measured are the rows that hold anything.
func measured(rows []*row) []row {
	var out []row
	for _, r := range rows {
		if len(r.Samples) > 0 {
			out = append(out, *r)
		}
	}
	return out
}
