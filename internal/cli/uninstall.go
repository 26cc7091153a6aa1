package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// uninstallFlags are those of uninstall.
type uninstallFlags struct {
	logFlags
	wait           waitMode
	timeout        time.Duration
	deadline       time.Duration
	noHooks        bool
	dryRun         bool
	ignoreNotFound bool
	keepHistory    bool
	purgeHooks     bool
	cascade        string
	description    string
}

// cascades are the values of --cascade.
var cascades = map[string]metav1.DeletionPropagation{
	"background": metav1.DeletePropagationBackground,
	"foreground": metav1.DeletePropagationForeground,
	"orphan":     metav1.DeletePropagationOrphan,
}

func newUninstall(a *app) *cobra.Command {
	flags := uninstallFlags{cascade: "background"}
	cmd := &cobra.Command{
		Use:        "uninstall NAME...",
		Aliases:    []string{"del", "delete", "un"},
		SuggestFor: []string{"remove", "rm"},
		Short:      "uninstall releases",
		Long: lines("Removes the objects of releases and, unless told otherwise, their history.",
			"", "Custom resources go first and are awaited, then their controllers and the rest, definitions last. Objects with",
			"helm.sh/resource-policy: keep stay. Finished Jobs and Pods of hooks go; what else hooks have made is listed and stays, unless",
			"--purge-hooks is given. What an interrupted uninstall has left is removed by the next one."),
		Args: needs(1, 0, "the name of a release"),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				if err := a.uninstall(cmd.Context(), name, &flags); err != nil {
					return err
				}
			}
			return nil
		}),
		ValidArgsFunction: a.releaseNames,
	}
	f := cmd.Flags()
	flags.logFlags.add(f)
	a.addLocking(f)
	a.addKeeping(f)
	addWait(f, &flags.wait)
	f.Lookup("wait").Usage = "wait until the objects are gone: watcher (the same as --wait alone) or legacy wait, hookOnly does not"
	addTimeout(f, &flags.timeout)
	addDeadline(f, &flags.deadline)
	f.BoolVar(&flags.noHooks, "no-hooks", false, "run no hooks")
	f.BoolVar(&flags.dryRun, "dry-run", false, "change nothing and show what would be done")
	f.BoolVar(&flags.ignoreNotFound, "ignore-not-found", false, "a release that is not there is no error")
	f.BoolVar(&flags.keepHistory, "keep-history", false, "keep the records, marked as uninstalled")
	f.BoolVar(&flags.purgeHooks, "purge-hooks", false, "remove all that hooks of the release have made; never PersistentVolumeClaims, Namespaces and CRDs")
	f.Var(&choice{value: &flags.cascade, known: []string{"background", "foreground", "orphan"}}, "cascade",
		"what happens to what depends on the objects: background, foreground or orphan")
	f.StringVar(&flags.description, "description", "", "with --keep-history: description of the record")
	a.completeFlags(cmd)
	return cmd
}

func (a *app) uninstall(ctx context.Context, name string, flags *uninstallFlags) error {
	if err := checkTimes(flags.timeout, flags.deadline); err != nil {
		return err
	}
	s, err := a.operate(a.results(ui.Table), a.viewOptions(flags.logs.value))
	if err != nil {
		return err
	}
	opts := lifecycle.UninstallOptions{Name: name, Namespace: s.namespace, Deadline: flags.deadline, Plan: plan.Options{
		Timeout: flags.timeout, Wait: flags.wait.wanted(), NoHooks: flags.noHooks, KeepHistory: flags.keepHistory, PurgeHooks: flags.purgeHooks,
		Propagation: cascades[flags.cascade], Description: flags.description, Strict: true,
	}}
	if flags.dryRun {
		opts.DryRun = lifecycle.DryRunServer
	}
	s.trace(ctx, name, opts.DryRun)
	out, err := s.Uninstall(ctx, opts)
	s.end()
	switch {
	case flags.ignoreNotFound && errors.Is(err, release.ErrNotFound):
		return a.says(fmt.Sprintf("release %q is not there\n", name), fmt.Sprintf("release %q uninstalled\n", name))
	case err != nil:
		return err
	case out.DryRun != nil:
		return together(a.showPlan(out.DryRun.Plan), a.says("", fmt.Sprintf("release %q uninstalled\n", name)))
	}
	_, err = fmt.Fprintf(a.streams.Out, "release %q uninstalled\n", name)
	return err
}
