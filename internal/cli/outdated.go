package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// insteadKey is the annotation of flags that have a newer name.
const insteadKey = "pintle.dev/instead"

// outdate hides a flag that still works, and says what to use instead. pflag's
// own way of it would write to where cobra writes help: into results.
func outdate(f *pflag.FlagSet, name, instead string) {
	flag := f.Lookup(name)
	flag.Hidden = true
	flag.Annotations = map[string][]string{insteadKey: {instead}}
}

// warnOutdated tells of old names that were used.
func (a *app) warnOutdated(cmd *cobra.Command) {
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if instead := flag.Annotations[insteadKey]; len(instead) > 0 {
			a.warn(fmt.Sprintf("--%s is an older name: use %s", flag.Name, instead[0]))
		}
	})
}
