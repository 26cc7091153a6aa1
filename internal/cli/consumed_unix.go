//go:build unix

package cli

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// consumed is what this process has cost so far: CPU time, and the most memory
// in bytes that it has held.
func consumed() (cpu time.Duration, peak int64) {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0, 0
	}
	peak = int64(usage.Maxrss) //nolint:unconvert // it has 32 bits on some systems
	switch runtime.GOOS {
	case "darwin", "ios": // there it is bytes, elsewhere KiB
	case "linux":
		peak = highWater()
	default:
		peak <<= 10
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), peak
}

// highWater is Linux' own figure for this program: Getrusage's begins with the
// memory of the process that started it.
func highWater() int64 {
	text, _ := os.ReadFile("/proc/self/status") // without it, 0
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}
