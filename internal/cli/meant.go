package cli

import (
	"errors"
	"strings"

	"github.com/pintle-dev/pintle/internal/release"
	"github.com/spf13/pflag"
)

// meantFlag is the flag that was probably meant by one that does not exist:
// the nearest one, or the one that was written with a single dash. It is empty
// where none is near, and in the drop-in, whose words are Helm's.
func (a *app) meantFlag(flags *pflag.FlagSet, err error) string {
	var unknown *pflag.NotExistError
	if a.asHelm || !errors.As(err, &unknown) {
		return ""
	}
	name := unknown.GetSpecifiedName()
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		if name, _, _ = strings.Cut(group, "="); len(name) < 3 {
			return "" // shorthands, all of them
		}
	}
	var known []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Deprecated == "" {
			known = append(known, f.Name)
		}
	})
	return release.Suggest(name, known)
}
