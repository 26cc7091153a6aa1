package cli

import (
	"github.com/spf13/cobra"
)

// The groups under which the help lists commands.
const (
	groupRelease = "release"
	groupRead    = "read"
	groupChart   = "chart"
)

// newRoot builds the tree of commands. Building it touches nothing: no file,
// no cluster.
func newRoot(a *app) *cobra.Command {
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
		return asUsage(&flagError{command: cmd.CommandPath(), err: err})
	})
	a.global.add(root.PersistentFlags())
	a.completeGlobal(root)
	root.AddGroup(
		&cobra.Group{ID: groupRelease, Title: "Commands that change a release:"},
		&cobra.Group{ID: groupRead, Title: "Commands that show releases:"},
		&cobra.Group{ID: groupChart, Title: "Commands about charts:"},
		&cobra.Group{ID: groupSource, Title: "Commands about where charts come from:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			c.DisableFlagsInUseLine = true
			root.AddCommand(c)
		}
	}
	add(groupRelease, newInstall(a), newUpgrade(a), newRollback(a), newUninstall(a), newTest(a), newUnlock(a))
	add(groupRead, newStatus(a), newHistory(a), newList(a), newGet(a), newHooks(a), newReport(a))
	add(groupChart, newTemplate(a), newLint(a), newShow(a), newCreate(a), newPackage(a), newDependency(a))
	add(groupSource, newPull(a), newPush(a), newVerify(a), newRepo(a), newSearch(a), newRegistry(a))
	add("", newVersion(a), newEnv(a), newPlugin(a))
	return root
}

// flagError is a flag that does not exist or has a value without a meaning.
type flagError struct {
	command string
	err     error
}

// Error says where to read on.
func (e *flagError) Error() string {
	return e.err.Error() + "\nsee `" + e.command + " --help`"
}

// Unwrap gives pflag's error.
func (e *flagError) Unwrap() error { return e.err }
