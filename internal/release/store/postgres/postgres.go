// Package postgres keeps release records in a Postgres database, in the tables
// of Helm's own driver "sql": either tool may set them up, and each reads what
// the other wrote. It knows those tables and a connection string, and nothing
// of what a release does. Ledger and lock are not its business: they stay in
// the cluster, where what they are about is.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lib/pq"
)

// ConnectionVariable is the environment variable that holds the connection
// string, which is Helm's.
const ConnectionVariable = "HELM_DRIVER_SQL_CONNECTION_STRING"

// connectLimit bounds a connection attempt where the connection string has no
// connect_timeout: by itself, it would have none.
const connectLimit = 15 * time.Second

// maxConnections is how many queries one process runs at once.
const maxConnections = 4

// Database is a connection to a database with Helm's tables. It may be used
// from several goroutines.
type Database struct {
	db     *sql.DB
	target Target
	// unset tells that there was no connection string.
	unset bool

	mu     sync.Mutex
	tables tables
}

// Target says which database is meant, without a password.
type Target struct {
	// Address is host:port or the path of a socket.
	Address        string
	Database, User string
}

// String is how messages name the database.
func (t Target) String() string {
	return fmt.Sprintf("database %s at %s, as user %s", t.Database, t.Address, t.User)
}

// Open reads a connection string: a URL (postgres://USER:PASSWORD@HOST:PORT/DATABASE)
// or KEY=VALUE pairs; what it leaves out comes from the variables of libpq
// (PGHOST, PGUSER, PGPASSWORD ...) and their defaults. No connection is made yet.
// An error is an *Error that quotes nothing of the string.
func Open(connection string) (*Database, error) {
	if misplaced(connection) {
		return nil, &Error{Kind: Unreadable}
	}
	config, err := pq.NewConfig(connection)
	if err != nil {
		return nil, &Error{Kind: Unreadable, Unset: connection == ""}
	}
	if config.ConnectTimeout <= 0 {
		config.ConnectTimeout = connectLimit
	}
	if config.ApplicationName == "" {
		config.ApplicationName = "pintle"
	}
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, &Error{Kind: Unreadable}
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConnections)
	return &Database{db: db, target: targetOf(config), unset: connection == ""}, nil
}

// Close ends the connections.
func (d *Database) Close() error { return d.db.Close() }

// misplaced tells a URL that can be read, but not as it was meant: a password
// with a slash or a question mark ends the host too early, and what follows
// would show up in messages.
func misplaced(connection string) bool {
	if !strings.HasPrefix(connection, "postgres://") && !strings.HasPrefix(connection, "postgresql://") {
		return false
	}
	u, err := url.Parse(connection)
	return err != nil || strings.Contains(u.Path, "@") || u.Fragment != ""
}

func targetOf(config pq.Config) Target {
	t := Target{Database: config.Database, User: config.User}
	if t.Database == "" {
		t.Database = t.User
	}
	switch {
	case config.Hostaddr.IsValid():
		t.Address = net.JoinHostPort(config.Hostaddr.String(), strconv.Itoa(int(config.Port)))
	case strings.HasPrefix(config.Host, "/"):
		t.Address = config.Host
	default:
		t.Address = net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	}
	return t
}

// within runs a function in a transaction. Errors of the database come back as
// *Error; the function's own ones as they are.
func (d *Database) within(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return d.fault(err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // what matters is why
		return d.fault(err)
	}
	if err := tx.Commit(); err != nil {
		return d.fault(err)
	}
	return nil
}
