package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	"github.com/pintle-dev/pintle/internal/release/store/postgres"
	"github.com/pintle-dev/pintle/internal/release/store/postgres/postgrestest"
	"github.com/pintle-dev/pintle/internal/release/store/storetest"
)

// now is a clock that goes on by a second with each look.
func now() func() time.Time {
	var mu sync.Mutex
	at := time.Unix(1_700_000_000, 0)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, connection string) *postgres.Database {
	t.Helper()
	d, err := postgres.Open(connection)
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

// TestPostgres runs everything on one server: to start one takes seconds.
func TestPostgres(t *testing.T) {
	server := postgrestest.Start(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, *postgrestest.Server)
	}{
		{"the contract", theContract},
		{"the tables", theTables},
		{"reading makes no tables", readingMakesNoTables},
		{"many begin at once", manyBeginAtOnce},
		{"tables of an old helm", tablesOfAnOldHelm},
		{"a record of any size", aRecordOfAnySize},
		{"labels of a long name", labelsOfALongName},
		{"another life is another owner", anotherLifeIsAnotherOwner},
		{"what is wrong with a database", whatIsWrongWithADatabase},
		{"a database that goes and comes", aDatabaseThatGoesAndComes},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, server) })
	}
}

func theContract(t *testing.T, server *postgrestest.Server) {
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Open {
		n++
		connection := server.Create(t, fmt.Sprint("contract", n))
		return func(namespace string) store.Records { return open(t, connection).Records(namespace, now()) }
	})
}

func theTables(t *testing.T, server *postgrestest.Server) {
	must(t, open(t, server.Create(t, "ours")).Records("prod", now()).Create(t.Context(), storetest.Release("shop", 1, release.Deployed)))
	ours := server.Dump(t, "ours", "--schema-only")
	for _, want := range []string{"CREATE TABLE public.releases_v1", "CREATE TABLE public.custom_labels_v1", "CREATE TABLE public.gorp_migrations"} {
		if !strings.Contains(ours, want) {
			t.Errorf("no %q in\n%s", want, ours)
		}
	}
	// Helm asks a cluster for its version before it reads records.
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"major":"1","minor":"35","gitVersion":"v1.35.0"}`)
	}))
	defer cluster.Close()
	for _, helm := range []string{"helm", "helm3"} {
		program, err := filepath.Abs(filepath.Join("../../../../bin", helm))
		must(t, err)
		if _, err := os.Stat(program); err != nil {
			t.Logf("bin/%s is not built, so its tables are not compared; run make helm", helm)
			continue
		}
		connection := server.Create(t, helm)
		run(t, cluster, connection, program, "list", "-n", "prod") // is enough for Helm to make its tables
		if diff := cmp.Diff(plain(server.Dump(t, helm, "--schema-only")), plain(ours)); diff != "" {
			t.Errorf("tables (-%s +ours):\n%s", helm, diff)
		}
		if diff := cmp.Diff(steps(t, connection), steps(t, server.URL("ours"))); diff != "" {
			t.Errorf("notes (-%s +ours):\n%s", helm, diff)
		}
		// Either goes on with what the other has made.
		if out := run(t, cluster, server.URL("ours"), program, "list", "-n", "prod"); !strings.Contains(out, "shop") {
			t.Errorf("%s lists of ours:\n%s", helm, out)
		}
		must(t, open(t, connection).Records("prod", now()).Create(t.Context(), storetest.Release("shop", 1, release.Deployed)))
		if out := run(t, cluster, connection, program, "get", "manifest", "shop", "-n", "prod"); !strings.Contains(out, "kind: ConfigMap") {
			t.Errorf("%s gets of ours:\n%s", helm, out)
		}
	}
}

// plain takes out what is different in each dump: a key against misuse by psql.
func plain(dump string) string {
	return regexp.MustCompile(`(?m)^\\(un)?restrict .*\n`).ReplaceAllString(dump, "")
}

// steps are the notes of what was done, in their order.
func steps(t *testing.T, connection string) []string {
	t.Helper()
	db, err := sql.Open("postgres", connection)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), `SELECT id FROM gorp_migrations WHERE applied_at IS NOT NULL ORDER BY applied_at, id DESC`)
	must(t, err)
	var ids []string
	for rows.Next() {
		var id string
		must(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	must(t, rows.Err())
	return ids
}

func run(t *testing.T, cluster *httptest.Server, connection, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "HELM_DRIVER=sql", postgres.ConnectionVariable+"="+connection, "HELM_KUBEAPISERVER="+cluster.URL)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(program), args, err, out)
	}
	return string(out)
}

func readingMakesNoTables(t *testing.T, server *postgrestest.Server) {
	records := open(t, server.Create(t, "empty")).Records("prod", now())
	listed, err := records.List(t.Context(), store.ListOptions{})
	must(t, err)
	history, err := records.History(t.Context(), "shop")
	must(t, err)
	if len(listed)+len(history) != 0 {
		t.Errorf("an empty database has %v, %v", listed, history)
	}
	if _, err := records.Get(t.Context(), "shop", 1); !errors.Is(err, release.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	must(t, records.Delete(t.Context(), storetest.Release("shop", 1, release.Deployed)))
	if dump := server.Dump(t, "empty", "--schema-only"); strings.Contains(dump, "CREATE TABLE") {
		t.Errorf("reading has made tables:\n%s", dump)
	}
}

// manyBeginAtOnce has several processes meet an empty database.
func manyBeginAtOnce(t *testing.T, server *postgrestest.Server) {
	connection := server.Create(t, "new")
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		records := open(t, connection).Records("prod", now())
		group.Go(func() {
			errs[i] = records.Create(t.Context(), storetest.Release(fmt.Sprint("r", i), 1, release.Deployed))
		})
	}
	group.Wait()
	must(t, errors.Join(errs...))
	listed, err := open(t, connection).Records("", now()).List(t.Context(), store.ListOptions{AllNamespaces: true})
	must(t, err)
	if len(listed) != len(errs) {
		t.Errorf("listed %d releases of %d", len(listed), len(errs))
	}
}

// tablesOfAnOldHelm are those from before labels.
func tablesOfAnOldHelm(t *testing.T, server *postgrestest.Server) {
	connection := server.Create(t, "old")
	records := open(t, connection).Records("prod", now())
	must(t, records.Create(t.Context(), storetest.Release("shop", 1, release.Deployed)))
	server.Exec(t, "old", `DROP TABLE custom_labels_v1; DELETE FROM gorp_migrations WHERE id = 'custom_labels'`)
	records = open(t, connection).Records("prod", now())
	history, err := records.History(t.Context(), "shop")
	must(t, err)
	if len(history) != 1 || len(history[0].Labels) != 0 {
		t.Fatalf("history: %+v", history)
	}
	must(t, records.Create(t.Context(), storetest.Release("shop", 2, release.Deployed)))
	if got := steps(t, connection); len(got) != 2 {
		t.Errorf("notes: %v", got)
	}
	last, err := records.Get(t.Context(), "shop", 2)
	must(t, err)
	if last.Labels["team"] != "blue" {
		t.Errorf("labels: %v", last.Labels)
	}
}

func aRecordOfAnySize(t *testing.T, server *postgrestest.Server) {
	records := open(t, server.Create(t, "big")).Records("prod", now())
	big := storetest.Release("shop", 1, release.Deployed)
	var text strings.Builder
	for i := range 400_000 {
		fmt.Fprintf(&text, "k%d: %d\n", i, i*i*31)
	}
	big.Manifest = text.String()
	encoded, err := release.Encode(big)
	must(t, err)
	if len(encoded) <= release.MaxSize {
		t.Fatalf("the record has only %d bytes", len(encoded))
	}
	must(t, records.Create(t.Context(), big))
	got, err := records.Get(t.Context(), "shop", 1)
	must(t, err)
	if got.Manifest != big.Manifest || records.Capacity() != 0 {
		t.Error("the manifest has changed")
	}
}

func labelsOfALongName(t *testing.T, server *postgrestest.Server) {
	records := open(t, server.Create(t, "long")).Records("prod", now())
	long := storetest.Release(strings.Repeat("n", 50), 1, release.Deployed)
	err := records.Create(t.Context(), long)
	if err == nil || !strings.Contains(err.Error(), "too long for labels") {
		t.Errorf("with labels: %v", err)
	}
	long.Labels = nil
	must(t, records.Create(t.Context(), long))
}

// anotherLifeIsAnotherOwner makes sure that what belongs to a record is
// not taken for that of a later one of the same name and number.
func anotherLifeIsAnotherOwner(t *testing.T, server *postgrestest.Server) {
	records := open(t, server.Create(t, "owner")).Records("prod", now())
	r := storetest.Release("shop", 1, release.PendingInstall)
	must(t, records.Create(t.Context(), r))
	first, err := records.Owner(t.Context(), "shop", 1)
	must(t, err)
	must(t, records.Update(t.Context(), r))
	if again, err := records.Owner(t.Context(), "shop", 1); err != nil || again.UID != first.UID || first.Kind != "" {
		t.Errorf("after an update: %v, %v", again, err)
	}
	must(t, records.Delete(t.Context(), r))
	if _, err := records.Owner(t.Context(), "shop", 1); !errors.Is(err, release.ErrNotFound) {
		t.Errorf("without a record: %v", err)
	}
	must(t, records.Create(t.Context(), r))
	if second, err := records.Owner(t.Context(), "shop", 1); err != nil || second.UID == first.UID {
		t.Errorf("in its next life it has the same owner: %v, %v", second, err)
	}
}

func whatIsWrongWithADatabase(t *testing.T, server *postgrestest.Server) {
	good := server.Create(t, "here")
	pairs := fmt.Sprintf("host=%s port=%d user=postgres password='it\\'s a/se#cret? %%41' dbname=here sslmode=disable", server.Folder(), server.Port())
	must(t, open(t, pairs).Records("prod", now()).Create(t.Context(), storetest.Release("shop", 1, release.Deployed)))
	server.Exec(t, "here", `CREATE ROLE reader LOGIN PASSWORD 'reader'; CREATE ROLE nobody LOGIN PASSWORD 'nobody'`)
	for name, tc := range map[string]struct {
		connection string
		kind       postgres.Kind
		says       string
	}{
		"not a string":         {"postgres//x", postgres.Unreadable, "cannot be read"},
		"password not encoded": {"postgres://postgres:hunter2/x@127.0.0.1/here", postgres.Unreadable, "percent-encoded"},
		"fragment":             {"postgres://postgres:hunter2#x@127.0.0.1/here", postgres.Unreadable, "percent-encoded"},
		"pair without value":   {"host=127.0.0.1 password=hunter2 hunter2", postgres.Unreadable, "cannot be read"},
		"wrong password":       {strings.Replace(good, "se%23cret", "hunter2", 1), postgres.Refused, "check user and password"},
		"no such database":     {server.URL("there"), postgres.Refused, "create the database first"},
		"TLS":                  {strings.Replace(good, "sslmode=disable", "sslmode=require", 1), postgres.Refused, "sslmode=disable"},
		"nothing listens":      {"postgres://postgres:hunter2@127.0.0.1:1/here?sslmode=disable", postgres.Unreachable, "database here at 127.0.0.1:1"},
		"no such host":         {"postgres://postgres:hunter2@nowhere.invalid/here", postgres.Unreachable, "nowhere.invalid"},
		"no permission":        {strings.Replace(good, "postgres:it%27s%20a%2Fse%23cret%3F%20%2541", "nobody:nobody", 1), postgres.Refused, "CREATE on the schema"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := postgres.Open(tc.connection)
			if err == nil {
				defer func() { must(t, d.Close()) }()
				if name == "no permission" {
					server.Exec(t, "here", `REVOKE ALL ON releases_v1 FROM PUBLIC`)
				}
				err = d.Records("prod", now()).Create(t.Context(), storetest.Release("shop", 2, release.Deployed))
			}
			var fault *postgres.Error
			if !errors.As(err, &fault) || fault.Kind != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %q", err, tc.says)
			}
			for _, secret := range []string{"hunter2", postgrestest.Password, "it%27s", "nobody:nobody"} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the password is shown: %v", err)
				}
			}
		})
	}
}

func aDatabaseThatGoesAndComes(t *testing.T, server *postgrestest.Server) {
	records := open(t, server.Create(t, "coming")).Records("prod", now())
	r := storetest.Release("shop", 1, release.PendingInstall)
	must(t, records.Create(t.Context(), r))
	server.Stop()
	r.SetStatus(release.Deployed, "Install complete")
	var fault *postgres.Error
	if err := records.Update(t.Context(), r); !errors.As(err, &fault) || fault.Kind != postgres.Unreachable {
		t.Errorf("while it is down: %v", err)
	}
	server.Restart(t)
	must(t, records.Update(t.Context(), r))
	got, err := records.Get(t.Context(), "shop", 1)
	must(t, err)
	if got.Info.Status != release.Deployed {
		t.Errorf("status %s", got.Info.Status)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := records.Update(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
