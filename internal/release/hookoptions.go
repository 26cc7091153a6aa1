package release

import (
	"strconv"
	"strings"
	"time"
)

// Options are what a chart asks for by pintle.dev annotations on a hook.
type Options struct {
	// Timeout bounds one attempt; 0 means that the operation's own applies.
	Timeout time.Duration
	// Retries is how many further attempts follow a failed one.
	Retries int
	// Parallel allows the hook to run beside others of the same event and
	// weight that allow it too.
	Parallel bool
	// Suite is the name under which a test reports; empty for the default one.
	Suite string
	// Irreversible says that no automatic rollback may go past the hook once it has succeeded.
	Irreversible bool
	// Always says that the hook runs even when an earlier one of its event failed.
	Always bool
}

// Options reads the hook's annotations. Values that ParseHook complains of
// count as absent: a record of Helm's may hold anything.
func (h *Hook) Options() Options {
	a := h.steering().annotations
	var o Options
	if d, err := parseTimeout(a[TimeoutAnnotation]); err == nil {
		o.Timeout = d
	}
	if n, err := parseRetries(a[RetriesAnnotation]); err == nil {
		o.Retries = n
	}
	o.Suite = strings.TrimSpace(a[SuiteAnnotation])
	o.Parallel = a[ParallelAnnotation] == "true"
	o.Irreversible = a[IrreversibleAnnotation] == "true"
	o.Always = a[AlwaysAnnotation] == "true"
	return o
}

// parseTimeout reads a positive Go duration.
func parseTimeout(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err == nil && d <= 0 {
		err = strconv.ErrRange
	}
	return d, err
}

// parseRetries reads a whole number that is not negative.
func parseRetries(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	return n, err
}
