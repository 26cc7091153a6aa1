package cli

import (
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/release/store"
	"github.com/pintle-dev/pintle/internal/release/store/postgres"
)

// recordStore is where records are kept.
type recordStore = store.Records

var (
	_ store.Records     = (*store.Store)(nil)
	_ store.Records     = (*postgres.Store)(nil)
	_ lifecycle.Records = store.Records(nil)
	_ store.Objects     = (*kube.Objects)(nil)
)

// records opens the store that HELM_DRIVER names, for the client's namespace.
func (a *app) records(client *kube.Client) (recordStore, error) {
	return a.recordsIn(client, client.Namespace())
}

// recordsIn opens the store for a namespace; "" serves listing in all of them.
func (a *app) recordsIn(client *kube.Client, namespace string) (recordStore, error) {
	if a.global.recordDriver == "sql" {
		return a.databaseRecords(namespace)
	}
	records, err := store.Open(a.global.recordDriver, client.Objects(), namespace, time.Now)
	if err != nil {
		return nil, diag.Problem{Summary: err.Error()}
	}
	return records, nil
}

// databaseRecords opens the store in the database that Helm's variable names.
// All stores of a run share its connections, which end with the run.
func (a *app) databaseRecords(namespace string) (recordStore, error) {
	if a.database == nil {
		database, err := postgres.Open(a.env.text(postgres.ConnectionVariable))
		if err != nil {
			return nil, err
		}
		a.database = database
	}
	return a.database.Records(namespace, time.Now), nil
}

// closeDatabase ends the connections, if there are any.
func (a *app) closeDatabase() {
	if a.database != nil {
		_ = a.database.Close() // what was to be written is written
	}
}
