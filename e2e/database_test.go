package e2e

import (
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pintle-dev/pintle/internal/release/store/postgres"
	"github.com/pintle-dev/pintle/internal/release/store/postgres/postgrestest"
)

// database makes an empty database of the story's own, in a Postgres that all
// stories share, and has records kept there from then on:
//
//	database
//
// $DATABASE_PASSWORD is what no message may show.
func database(t *testing.T) func(*testscript.TestScript, bool, []string) {
	server := sync.OnceValue(func() *postgrestest.Server { return postgrestest.Start(t) })
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: database")
		}
		if postgrestest.Find() == "" {
			ts.Fatalf("Postgres is not installed; run make packages")
		}
		name := strings.ReplaceAll(storyOf(ts).namespace, "-", "_")
		ts.Setenv("HELM_DRIVER", "sql")
		ts.Setenv(postgres.ConnectionVariable, server().Create(t, name))
		ts.Setenv("DATABASE_PASSWORD", postgrestest.Password)
	}
}
