package cli

import (
	"slices"

	"github.com/spf13/cobra"
)

// The groups under which the help lists commands.
const (
	groupRelease = "release"
	groupRead    = "read"
	groupChart   = "chart"
)

// entry is one command below the root, by all the names that it has.
type entry struct {
	group string
	names []string
	build func(*app) *cobra.Command
}

// tree lists the commands below the root.
var tree = []entry{
	{groupRelease, []string{"install"}, newInstall},
	{groupRelease, []string{"upgrade"}, newUpgrade},
	{groupRelease, []string{"rollback"}, newRollback},
	{groupRelease, []string{"uninstall", "del", "delete", "un"}, newUninstall},
	{groupRelease, []string{"test"}, newTest},
	{groupRelease, []string{"unlock"}, newUnlock},
	{groupRead, []string{"status"}, newStatus},
	{groupRead, []string{"history", "hist"}, newHistory},
	{groupRead, []string{"list", "ls"}, newList},
	{groupRead, []string{"get"}, newGet},
	{groupRead, []string{"hooks"}, newHooks},
	{groupRead, []string{"report"}, newReport},
	{groupChart, []string{"template"}, newTemplate},
	{groupChart, []string{"lint"}, newLint},
	{groupChart, []string{"show", "inspect"}, newShow},
	{groupChart, []string{"create"}, newCreate},
	{groupChart, []string{"package"}, newPackage},
	{groupChart, []string{"dependency", "dep", "dependencies"}, newDependency},
	{groupSource, []string{"pull", "fetch"}, newPull},
	{groupSource, []string{"push"}, newPush},
	{groupSource, []string{"verify"}, newVerify},
	{groupSource, []string{"repo"}, newRepo},
	{groupSource, []string{"search"}, newSearch},
	{groupSource, []string{"registry"}, newRegistry},
	{"", []string{"version"}, newVersion},
	{"", []string{"env"}, newEnv},
	{"", []string{"plugin"}, newPlugin},
}

// newRootFor builds of the tree what the arguments can lead to: whichever command
// they name is there, as if it were built as a whole. Half of what a short command
// does before it begins would be to build the others.
func newRootFor(a *app, args []string) *cobra.Command {
	root := bareRoot(a)
	for _, e := range tree {
		if slices.ContainsFunc(e.names, func(name string) bool { return slices.Contains(args, name) }) {
			e.add(a, root)
		}
	}
	if chosen, _, err := root.Find(args); err != nil || chosen == root {
		return newRoot(a) // what follows may list them, or suggest one
	}
	return root
}

// newRoot builds the tree of commands. Building it touches nothing: no file,
// no cluster.
func newRoot(a *app) *cobra.Command {
	root := bareRoot(a)
	for _, e := range tree {
		e.add(a, root)
	}
	return root
}

func (e entry) add(a *app, root *cobra.Command) {
	c := e.build(a)
	c.GroupID = e.group
	c.DisableFlagsInUseLine = true
	root.AddCommand(c)
}

// bareRoot is the root with no command below it.
func bareRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   a.program(),
		Short: "run the life of a Helm release: hooks, apply, wait, tests, rollback",
		Long: lines(
			"Pintle runs the life of a Helm release on Kubernetes: hooks, apply, wait, tests, rollback.",
			"It reads the charts and keeps the records that Helm does.",
			"",
			"Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a hook failed, 4 a test failed, 5 not ready, 6 another run is at it,",
			"7 refused before anything was touched, 8 failed and rolled back, 9 failed and not rolled back, 130 and 143 interrupted.",
			"",
			"Environment: HELM_NAMESPACE, HELM_DRIVER (secret, configmap, sql or memory), HELM_DRIVER_SQL_CONNECTION_STRING,",
			"HELM_MAX_HISTORY, HELM_DEBUG, HELM_COLOR, HELM_QPS, HELM_BURST_LIMIT, KUBECONFIG, and HELM_KUBECONTEXT, HELM_KUBETOKEN, HELM_KUBEAPISERVER, HELM_KUBEASUSER,",
			"HELM_KUBEASGROUPS, HELM_KUBECAFILE, HELM_KUBEINSECURE_SKIP_TLS_VERIFY, HELM_KUBETLS_SERVER_NAME.",
		),
		Args:          subcommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return asUsage(&flagError{command: cmd.CommandPath(), meant: a.meantFlag(cmd.Flags(), err), err: err})
	})
	a.global.add(root.PersistentFlags())
	a.completeGlobal(root)
	root.AddGroup(
		&cobra.Group{ID: groupRelease, Title: "Commands that change a release:"},
		&cobra.Group{ID: groupRead, Title: "Commands that show releases:"},
		&cobra.Group{ID: groupChart, Title: "Commands about charts:"},
		&cobra.Group{ID: groupSource, Title: "Commands about where charts come from:"},
	)
	return root
}

// flagError is a flag that does not exist or has a value without a meaning.
type flagError struct {
	command string
	// meant is the flag that is most like it; empty where none is.
	meant string
	err   error
}

// Error says what may have been meant, and where to read on.
func (e *flagError) Error() string {
	text := e.err.Error()
	if e.meant != "" {
		text += "\ndid you mean --" + e.meant + "?"
	}
	return text + "\nsee `" + e.command + " --help`"
}

// Unwrap gives pflag's error.
func (e *flagError) Unwrap() error { return e.err }
