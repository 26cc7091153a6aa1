package cli

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release/store"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"
)

var (
	_ ledger.Owners  = store.Records(nil)
	_ ledger.Objects = (*kube.Objects)(nil)
	_ engine.Ledger  = (*ledger.Book)(nil)
)

// ledger opens the ledgers beside the records of the client's namespace: in
// Secrets whatever the driver of records, but in memory where these are.
func (a *app) ledger(client *kube.Client, records recordStore) *ledger.Book {
	var objects ledger.Objects = client.Objects()
	if a.global.recordDriver == "memory" {
		objects = store.NewMemory()
	}
	bounds := ledger.DefaultBounds()
	if a.keeping.keep > 0 {
		bounds.Keep = a.keeping.keep
	}
	return ledger.NewBook(objects, records, client.Namespace(), time.Now, bounds)
}

// keepFlags say what is kept of hooks and tests, and what of it is shown.
type keepFlags struct {
	limit  string
	keep   time.Duration
	unmask bool
}

// addKeeping declares the flags of operations that run hooks or tests.
func (a *app) addKeeping(f *pflag.FlagSet) {
	k := &a.keeping
	f.StringVar(&k.limit, "ledger-log-limit", "64Ki", "how much of the end of each container's log is kept in the ledger")
	f.DurationVar(&k.keep, "ledger-keep", ledger.DefaultBounds().Keep, "how long the ledger of a release that was removed is kept")
	f.StringVar(&a.logDir, "log-dir", "", "write the log of each attempt of each hook and test into a file in this folder, line by line as it comes")
	f.BoolVar(&k.unmask, "unmask", false, "show values of Secrets in logs on the terminal; the ledger is masked in any case")
}

// applyKeeping makes the engine keep and show what the flags say.
func (a *app) applyKeeping(opts *engine.Options) error {
	k := &a.keeping
	if k.keep < 0 {
		return asUsage(errors.New("--ledger-keep must not be negative"))
	}
	if k.unmask && a.logDir != "" {
		return asUsage(errors.New("--unmask and --log-dir cannot be used together: values of Secrets must not get into files"))
	}
	if k.unmask && !a.streams.OutTerminal {
		return asUsage(errors.New("--unmask works only on a terminal: values of Secrets must not get into files and pipelines"))
	}
	opts.Unmask = k.unmask
	if k.limit == "" {
		return nil
	}
	size, err := resource.ParseQuantity(k.limit)
	if err != nil || size.Sign() < 0 || size.Value() > maxLogLimit {
		return asUsage(fmt.Errorf("--ledger-log-limit is %q: it must be a size such as 64Ki, at most %dMi", k.limit, maxLogLimit>>20))
	}
	opts.LogLimits.Tail = int(size.Value())
	return nil
}

// maxLogLimit keeps one container's log from filling a revision's ledger.
const maxLogLimit = 4 << 20

// operator is who runs this program, as user@host.
func operator() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil && host != "" {
		return name + "@" + host
	}
	return name
}
