package cli

import (
	"os"
	"os/user"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release/store"
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
	return ledger.NewBook(objects, records, client.Namespace(), time.Now, ledger.DefaultBounds())
}

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
