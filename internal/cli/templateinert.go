package cli

import "github.com/spf13/pflag"

const noEffect = "without effect: for scripts that hand the flags of install to template"

// inertFlags are those of install that Helm's template takes too, where they
// change nothing: scripts hand the same flags to both. They are checked for
// their form and not shown.
func inertFlags(f *pflag.FlagSet) {
	var d deployFlags
	var wait waitMode
	inert := pflag.NewFlagSet("inert", pflag.ContinueOnError)
	for _, name := range []string{
		"atomic", "create-namespace", "disable-openapi-validation", "force", "force-conflicts", "force-replace", "hide-notes",
		"hide-secret", "render-subchart-notes", "replace", "rollback-on-failure", "skip-crds", "take-ownership", "wait-for-jobs",
	} {
		inert.Bool(name, false, noEffect)
	}
	inert.String("description", "", noEffect)
	inert.StringToStringP("labels", "l", nil, noEffect)
	inert.Duration("timeout", defaultTimeout, noEffect)
	addWait(inert, &wait)
	d.serverSide.value = "true"
	inert.Var(&d.serverSide, "server-side", noEffect)
	inert.Lookup("server-side").NoOptDefVal = "true"
	inert.VisitAll(func(flag *pflag.Flag) {
		flag.Hidden = true
		f.AddFlag(flag) // a flag that template has itself stays as it is
	})
}
