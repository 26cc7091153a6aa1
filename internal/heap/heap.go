// Package heap puts the first garbage collection off. The runtime begins to
// collect at 4 MB, which the initialisation of packages alone takes, and most
// commands end soon after: what they would collect is theirs until then, and
// what they keep from it is nearly all there is.
//
// Importing the package is all there is to do. It imports next to nothing, so
// that it begins before what allocates most.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// untilFirst is how many percent of the runtime's 4 MB the heap grows to
	// before it is collected for the first time.
	untilFirst = 400
	// afterwards is the runtime's own default.
	afterwards = 100
)

// sentinel is garbage from the beginning: it goes with the first collection.
type sentinel struct{ _ [4]*int }

var _ = start(os.Getenv("GOGC"))

// start leaves everything as it is where the environment says when to collect.
func start(gogc string) bool {
	if gogc != "" {
		return false
	}
	debug.SetGCPercent(untilFirst)
	runtime.SetFinalizer(new(sentinel), func(*sentinel) { debug.SetGCPercent(afterwards) })
	return true
}
