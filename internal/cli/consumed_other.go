//go:build !unix

package cli

import "time"

// consumed is not known on this system.
func consumed() (cpu time.Duration, peak int64) { return 0, 0 }
