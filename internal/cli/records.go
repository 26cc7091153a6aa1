package cli

import (
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/release/store"
)

// recordStore is where records are kept.
type recordStore = store.Records

var (
	_ store.Records     = (*store.Store)(nil)
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
		return nil, diag.Problem{
			Summary: "HELM_DRIVER=sql is not supported yet",
			Detail:  "records are kept in Secrets (secret, the default), ConfigMaps (configmap) or nowhere (memory)",
		}
	}
	records, err := store.Open(a.global.recordDriver, client.Objects(), namespace, time.Now)
	if err != nil {
		return nil, diag.Problem{Summary: err.Error()}
	}
	return records, nil
}
