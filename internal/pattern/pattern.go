// Package pattern holds regular expressions back until they are needed. Most
// of ours only serve to explain what went wrong, and compiling them all is a
// cost that every command would pay before it begins.
package pattern

import (
	"regexp"
	"sync"
)

// Lazy gives the compiled expression. The first call compiles it, and panics
// where it is none; calls may be concurrent.
func Lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
