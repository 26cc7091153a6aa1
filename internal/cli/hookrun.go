package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
)

// hookRunFlags are those of hooks run.
type hookRunFlags struct {
	logFlags
	outputFlags
	event             string
	timeout, deadline time.Duration
	retries           int
	dryRun            bool
}

func newHooksRun(a *app) *cobra.Command {
	var flags hookRunFlags
	cmd := &cobra.Command{
		Use:   "run NAME HOOK",
		Short: "run one hook of the deployed revision again",
		Long: lines("Runs one hook of the deployed revision again, without an upgrade: as the chart has it, under the release's lock, and into the ledger.",
			"What hooks of its event bring before it without running anything (a ConfigMap, a ServiceAccount, RBAC) comes along.",
			"", "A hook of several events runs for the first of pre-upgrade, post-upgrade, test, pre-install, ... that it has, unless --event says which.",
			"A failure leaves the release as it is; the exit code is that of a failed hook."),
		Example: lines("  pintle hooks run web web-migrate -n shop --logs", "  pintle hooks run web Job/web-migrate --event post-upgrade --timeout 30m"),
		Args:    needs(2, 2, "the name of a release and of a hook"),
		RunE:    a.run(func(cmd *cobra.Command, args []string) error { return a.runHook(cmd.Context(), args, &flags) }),

		ValidArgsFunction: a.releaseThenHook,
	}
	f := cmd.Flags()
	flags.logFlags.add(f)
	flags.outputFlags.add(f)
	a.addLocking(f)
	a.addKeeping(f)
	a.addPatience(f)
	f.StringVar(&flags.event, "event", "", "the event that the hook runs for; it must have it")
	addTimeout(f, &flags.timeout)
	addDeadline(f, &flags.deadline)
	f.IntVar(&flags.retries, "retries", 0, "run it again up to this many times after a failure; 0 leaves it to the chart")
	f.BoolVar(&flags.dryRun, "dry-run", false, "change nothing and show what would be done")
	_ = cmd.RegisterFlagCompletionFunc("event", cobra.FixedCompletions(eventNames(), cobra.ShellCompDirectiveNoFileComp))
	a.completeFlags(cmd)
	return cmd
}

func eventNames() []string {
	var out []string
	for _, e := range release.Events() {
		out = append(out, string(e))
	}
	return out
}

// options are those of the operation, but for the namespace.
func (h *hookRunFlags) options(args []string) (lifecycle.HookOptions, error) {
	opts := lifecycle.HookOptions{
		Name: args[0], Hook: args[1], Event: release.Event(h.event), Deadline: h.deadline,
		Plan: plan.Options{Timeout: h.timeout, Strict: true},
	}
	if h.event != "" && !slices.Contains(eventNames(), h.event) {
		return opts, asUsage(fmt.Errorf("--event is %q: it must be one of %s", h.event, strings.Join(eventNames(), ", ")))
	}
	if h.retries < 0 {
		return opts, asUsage(fmt.Errorf("--retries must not be negative"))
	}
	if h.retries > 0 {
		opts.Plan.Hooks = []plan.HookOverride{{Name: baseName(args[1]), Retries: &h.retries}}
	}
	if h.dryRun {
		opts.DryRun = lifecycle.DryRunServer
	}
	return opts, checkTimes(h.timeout, h.deadline)
}

// baseName is the name of NAME or KIND/NAME.
func baseName(hook string) string { return hook[strings.LastIndex(hook, "/")+1:] }

func (a *app) runHook(ctx context.Context, args []string, flags *hookRunFlags) error {
	opts, err := flags.options(args)
	if err != nil {
		return err
	}
	output := flags.format.value
	s, err := a.operate(a.results(output), a.viewOptions(flags.logs.value))
	if err != nil {
		return err
	}
	opts.Namespace = s.namespace
	s.trace(ctx, opts.Name, opts.DryRun)
	out, err := s.RunHook(ctx, opts)
	s.end()
	switch {
	case out == nil:
		return err
	case out.DryRun != nil:
		return a.showPlan(out.DryRun.Plan)
	case output == ui.Table:
		return err
	}
	return together(err, ui.WriteHookRuns(a.streams.Out, out.Release, out.Result.Runs, output))
}

func newHooksClean(a *app) *cobra.Command {
	var output outputFlags
	dryRun := false
	cmd := &cobra.Command{
		Use:   "clean NAME",
		Short: "remove finished Jobs and Pods that hooks have left",
		Long: lines("Removes the finished Jobs and Pods that hooks and tests of any recorded revision have left in the cluster, and lists what else",
			"they have left (charts keep data that way): that is for you to delete. What still runs, what is part of the release, and what",
			"is not as a record says is not touched. Logs in the ledger stay."),
		Args: needs(1, 1, "the name of a release"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.cleanHooks(cmd.Context(), args[0], output.format.value, dryRun)
		}),
		ValidArgsFunction: a.releaseName,
	}
	f := cmd.Flags()
	output.add(f)
	a.addLocking(f)
	f.BoolVar(&dryRun, "dry-run", false, "change nothing and show what would be done")
	a.completeFlags(cmd)
	return cmd
}

func (a *app) cleanHooks(ctx context.Context, name string, output ui.Format, dryRun bool) error {
	s, err := a.operate(a.results(output), ui.Options{EachObject: true, Logs: ui.LogsAuto})
	if err != nil {
		return err
	}
	opts := lifecycle.HookOptions{Name: name, Namespace: s.namespace, Plan: plan.Options{Timeout: defaultTimeout}}
	if dryRun {
		opts.DryRun = lifecycle.DryRunServer
	}
	s.trace(ctx, name, opts.DryRun)
	out, err := s.CleanHooks(ctx, opts)
	s.end()
	switch {
	case out == nil:
		return err
	case out.DryRun != nil:
		return a.showPlan(out.DryRun.Plan)
	}
	return together(err, ui.WriteCleaned(a.streams.Out, out.Plan, output))
}
