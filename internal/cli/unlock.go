package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

func newUnlock(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "unlock RELEASE",
		Short: "take a release over from a run that holds it",
		Long: lines("Takes a release over from the run that holds its lock, or from one that left it pending.",
			"", "That run stops before its next change, its revision is marked as failed, and the release is free for the next one.",
			"A hook that it has started goes on: the next run waits for it, or stops it with --stop-orphans.",
			"This is seldom needed: the lock of a run that has died is taken over without asking."),
		Args: needs(1, 1, "the name of a release"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error { return a.unlock(cmd.Context(), args[0], yes) }),

		ValidArgsFunction: a.releaseName,
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) unlock(ctx context.Context, name string, yes bool) error {
	s, err := a.operate(a.results(ui.Table), a.viewOptions(""))
	if err != nil {
		return err
	}
	defer s.end()
	seen, err := s.Locked(ctx, name)
	if err != nil {
		return err
	}
	if !seen.Any() {
		_, err = fmt.Fprintf(a.streams.Out, "release %q is not locked\n", name)
		return err
	}
	for _, line := range lockedText(seen) {
		fmt.Fprintln(a.streams.Out, line)
	}
	if !yes {
		if err := a.confirm(name); err != nil {
			return err
		}
	}
	if err := s.Unlock(ctx, seen); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.streams.Out, "release %q is unlocked\n", name)
	return err
}

// lockedText says what keeps other runs out.
func lockedText(l *lifecycle.Locked) []string {
	var out []string
	switch {
	case l.Lock == nil:
		out = append(out, "no run holds the lock of release "+l.Name)
	case !l.Lock.Holder.Known():
		out = append(out, "the last run gave the lock of release "+l.Name+" back: "+l.Lock.Abandoned)
	default:
		out = append(out, "release "+l.Name+" is locked: "+lock.Describe(*l.Lock, time.Now()))
		if !l.Lock.Renewed.IsZero() {
			out = append(out, "it gave its last sign of life at "+l.Lock.Renewed.Local().Format("2006-01-02 15:04:05"))
		}
	}
	if l.Pending != nil {
		out = append(out, fmt.Sprintf("revision %d is %s and will be marked as failed", l.Pending.Revision, l.Pending.Status))
	}
	return out
}

// confirm asks on the terminal; without one the answer is no.
func (a *app) confirm(name string) error {
	fmt.Fprintf(a.streams.Err, "take over release %s? Type yes: ", name)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.streams.In).ReadString('\n') // the end of the input is an answer too
		answer <- line
	}()
	select {
	case line := <-answer:
		if strings.TrimSpace(strings.ToLower(line)) == "yes" {
			return nil
		}
	case <-a.signals.stop:
		return engine.ErrInterrupted
	}
	return &lifecycle.Refused{Err: diag.Problem{Summary: "not unlocked", Detail: "next: answer yes, or use --yes"}}
}
