package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// tables tells which of Helm's tables are there: Helm before 3.13 had none for labels.
type tables struct{ releases, labels bool }

func (t tables) complete() bool { return t.releases && t.labels }

// migration is a step in which Helm made its tables. Helm notes those that are
// done, by their names, in the table gorp_migrations; the same notes from us
// keep it from doing them again.
type migration struct {
	id   string
	done func(tables) bool
	ddl  string
}

// notes is the table of what was done, as Helm's library for it makes it.
const notes = `CREATE TABLE IF NOT EXISTS "gorp_migrations" ("id" TEXT NOT NULL PRIMARY KEY, "applied_at" TIMESTAMP WITH TIME ZONE)`

// migrations are Helm's, in its order, which is that of their names. Names of columns and the indexes' own
// names come out as Helm's only if they are written like this.
var migrations = []migration{
	{id: "custom_labels", done: func(t tables) bool { return t.labels }, ddl: `
CREATE TABLE custom_labels_v1 (
	releaseKey       VARCHAR(64),
	releaseNamespace VARCHAR(67),
	key              VARCHAR(317),
	value            VARCHAR(63)
);
CREATE INDEX ON custom_labels_v1 (releaseKey, releaseNamespace);
GRANT ALL ON custom_labels_v1 TO PUBLIC;
ALTER TABLE custom_labels_v1 ENABLE ROW LEVEL SECURITY;`},
	{id: "init", done: func(t tables) bool { return t.releases }, ddl: `
CREATE TABLE releases_v1 (
	key        VARCHAR(90),
	type       VARCHAR(64) NOT NULL,
	body       TEXT NOT NULL,
	name       VARCHAR(64) NOT NULL,
	namespace  VARCHAR(64) NOT NULL,
	version    INTEGER NOT NULL,
	status     TEXT NOT NULL,
	owner      TEXT NOT NULL,
	createdAt  INTEGER NOT NULL,
	modifiedAt INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (key, namespace)
);
CREATE INDEX ON releases_v1 (key, namespace);
CREATE INDEX ON releases_v1 (version);
CREATE INDEX ON releases_v1 (status);
CREATE INDEX ON releases_v1 (owner);
CREATE INDEX ON releases_v1 (createdAt);
CREATE INDEX ON releases_v1 (modifiedAt);
GRANT ALL ON releases_v1 TO PUBLIC;
ALTER TABLE releases_v1 ENABLE ROW LEVEL SECURITY;`},
}

// setupLock keeps two of us from making the tables at once. Its number means nothing.
const setupLock = 0x70696e746c65

// known finds out which tables are there, once they all are only once.
func (d *Database) known(ctx context.Context) (tables, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tables.complete() {
		return d.tables, nil
	}
	err := d.db.QueryRowContext(ctx, `SELECT to_regclass('releases_v1') IS NOT NULL, to_regclass('custom_labels_v1') IS NOT NULL`).
		Scan(&d.tables.releases, &d.tables.labels)
	return d.tables, d.fault(err)
}

// setUp makes the tables that are missing. Reading does without: it takes a
// table that is not there for an empty one.
func (d *Database) setUp(ctx context.Context) error {
	there, err := d.known(ctx)
	if err != nil || there.complete() {
		return err
	}
	err = d.within(ctx, func(tx *sql.Tx) error { return d.migrate(ctx, tx) })
	if pq.As(err, pqerror.DuplicateTable, pqerror.UniqueViolation) == nil {
		return err
	}
	// Helm was at it at the same moment, and takes no lock.
	if there, again := d.known(ctx); again != nil || there.complete() {
		return again
	}
	return err
}

func (d *Database) migrate(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", setupLock)); err != nil {
		return err
	}
	var there tables
	row := tx.QueryRowContext(ctx, `SELECT to_regclass('releases_v1') IS NOT NULL, to_regclass('custom_labels_v1') IS NOT NULL`)
	if err := row.Scan(&there.releases, &there.labels); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, notes); err != nil {
		return err
	}
	for _, m := range migrations {
		if m.done(there) {
			continue
		}
		if _, err := tx.ExecContext(ctx, m.ddl); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO gorp_migrations (id, applied_at) VALUES ($1, clock_timestamp())`, m.id); err != nil {
			return err
		}
	}
	return nil
}
