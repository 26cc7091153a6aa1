package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// completionLimit bounds how long the shell is kept waiting for names.
const completionLimit = 3 * time.Second

// nothing offers no completions.
func nothing() ([]string, cobra.ShellCompDirective) { return nil, cobra.ShellCompDirectiveNoFileComp }

// releaseNames completes the names of releases, any number of them.
func (a *app) releaseNames(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	a.lookAround(cmd.Context(), func(ctx context.Context, r *reading) error {
		_, err := r.records.List(ctx, store.ListOptions{Keep: func(e release.Entry) bool {
			if !slices.Contains(given, e.Name) {
				names = append(names, fmt.Sprintf("%s\trevision %d, %s", e.Name, e.Revision, e.Status))
			}
			return false // the index says enough: nothing needs decoding
		}})
		return err
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}

// releaseName completes one name of a release.
func (a *app) releaseName(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nothing()
	}
	return a.releaseNames(cmd, nil, typed)
}

// revisionNumbers completes the revisions of the release that was named.
func (a *app) revisionNumbers(cmd *cobra.Command, given []string) ([]string, cobra.ShellCompDirective) {
	var numbers []string
	a.lookAround(cmd.Context(), func(ctx context.Context, r *reading) error {
		entries, err := r.records.Index(ctx, given[0])
		for _, e := range entries {
			numbers = append(numbers, fmt.Sprintf("%d\t%s", e.Revision, e.Status))
		}
		return err
	})
	return numbers, cobra.ShellCompDirectiveNoFileComp
}

// lookAround reads for a completion. What goes wrong offers nothing: a shell
// is no place for messages.
func (a *app) lookAround(ctx context.Context, look func(context.Context, *reading) error) {
	r, err := a.read()
	if err != nil {
		return
	}
	if ctx == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, completionLimit)
	defer cancel()
	if err := look(ctx, r); err != nil {
		cobra.CompDebugln(err.Error(), false)
	}
}

// completeRevision completes NAME [REVISION].
func (a *app) completeRevision(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		switch len(given) {
		case 0:
			return a.releaseName(cmd, given, typed)
		case 1:
			return a.revisionNumbers(cmd, given)
		}
		return nothing()
	}
}

// completeReleaseThenChart completes NAME CHART of a release that exists.
func (a *app) completeReleaseThenChart(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		switch len(given) {
		case 0:
			return a.releaseName(cmd, given, typed)
		case 1:
			return a.completeChart(cmd, nil, typed)
		}
		return nothing()
	}
	a.completeVersion(cmd, 1)
}

// completeInstall completes [NAME] CHART, where the name is new.
func (a *app) completeInstall(cmd *cobra.Command, naming *nameFlags) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		chart := 1
		if naming.generate || naming.template != "" {
			chart = 0
		}
		if len(given) == chart {
			return a.completeChart(cmd, nil, typed)
		}
		return nothing()
	}
	a.completeVersion(cmd, 1)
}

// completeFlags completes the values of flags that a command may have.
func (a *app) completeFlags(cmd *cobra.Command) {
	words := map[string][]string{
		"output":  ui.Formats(),
		"wait":    {string(waitWatcher), string(waitHookOnly), string(waitLegacy)},
		"logs":    {string(ui.LogsAuto), string(ui.LogsAlways), string(ui.LogsFailed), string(ui.LogsNever)},
		"dry-run": {"none", "client", "server"},
		"cascade": {"background", "foreground", "orphan"},
		"cleanup": {"passed", "all"}, "test-cleanup": {"passed", "all"},
		"annotate": annotations, "test-annotate": annotations,
		"preflight": preflightModes, "fail-fast": failFastModes,
		"crds": {"create", "update", "skip"},
	}
	for name, values := range words {
		if f := cmd.Flags().Lookup(name); f != nil && f.Value.Type() != "bool" {
			// An error means that it is registered already, by a command that this one was made from.
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	if cmd.Flags().Lookup("revision") != nil {
		_ = cmd.RegisterFlagCompletionFunc("revision", func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) != 1 {
				return nothing()
			}
			return a.revisionNumbers(cmd, given)
		})
	}
}

// completeGlobal completes the values of flags that every command has.
func (a *app) completeGlobal(root *cobra.Command) {
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions(colorModes, cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("namespace", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		var names []string
		a.lookAround(cmd.Context(), func(ctx context.Context, r *reading) error {
			found, err := r.client.Objects().ListMetadata(ctx, schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, "", "")
			for _, ns := range found {
				names = append(names, ns.Name)
			}
			return err
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	_ = root.RegisterFlagCompletionFunc("kube-context", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return kube.Contexts(a.global.kube()), cobra.ShellCompDirectiveNoFileComp
	})
}
