package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
)

// What Helm writes into every row.
const (
	rowType  = "helm.sh/release.v1"
	rowOwner = "helm"
)

// maxLabelKey is how long the key of a release that has labels may be: the
// column of Helm's table for labels is shorter than that of its table for releases.
const maxLabelKey = 64

// Store keeps the records of one namespace's releases, as store.Records asks.
type Store struct {
	database  *Database
	namespace string
	now       func() time.Time

	mu   sync.Mutex
	seen map[string][sha256.Size]byte
}

var _ store.Records = (*Store)(nil)

// Records opens the records of a namespace. The clock stamps createdAt and
// modifiedAt. No request is made yet.
func (d *Database) Records(namespace string, now func() time.Time) *Store {
	return &Store{database: d, namespace: namespace, now: now, seen: map[string][sha256.Size]byte{}}
}

// Capacity is 0: a row holds what comes. See store.Records.
func (s *Store) Capacity() int { return 0 }

// Accept refuses labels of a release whose name is too long for Helm's table of
// them. See store.Records.
func (s *Store) Accept(r *release.Release) error {
	key := store.ObjectName(r.Name, r.Revision)
	if len(r.Labels) == 0 || len(key) <= maxLabelKey {
		return nil
	}
	return s.about(r.Name, r.Revision, fmt.Errorf(
		"its name is too long for labels: Helm's table for them in Postgres takes keys of at most %d characters, and %q has %d; leave out --labels or choose a shorter name",
		maxLabelKey, key, len(key)))
}

// Create stores a new revision. See store.Records.
func (s *Store) Create(ctx context.Context, r *release.Release) error {
	body, err := release.Encode(r)
	if err != nil {
		return err
	}
	if err := s.Accept(r); err != nil {
		return err
	}
	key := store.ObjectName(r.Name, r.Revision)
	if err := s.database.setUp(ctx); err != nil {
		return s.about(r.Name, r.Revision, err)
	}
	err = s.database.within(ctx, func(tx *sql.Tx) error { return s.insert(ctx, tx, key, string(body), r) })
	if err != nil && !s.arrived(ctx, key, string(body), err) {
		if pq.As(err, pqerror.UniqueViolation) != nil {
			err = release.ErrExists
		}
		return s.about(r.Name, r.Revision, err)
	}
	s.saw(key, string(body))
	return nil
}

func (s *Store) insert(ctx context.Context, tx *sql.Tx, key, body string, r *release.Release) error {
	_, err := tx.ExecContext(ctx,
		`INSERT INTO releases_v1 (key, type, body, name, namespace, version, status, owner, createdAt) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		key, rowType, body, r.Name, s.namespace, r.Revision, string(r.Info.Status), rowOwner, s.now().Unix())
	if err != nil {
		return err
	}
	return s.relabel(ctx, tx, key, r)
}

// relabel makes the labels of a row those of the record.
func (s *Store) relabel(ctx context.Context, tx *sql.Tx, key string, r *release.Release) error {
	if err := s.unlabel(ctx, tx, key); err != nil {
		return err
	}
	for label, value := range r.Labels {
		if store.IsSystemLabel(label) {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO custom_labels_v1 (releaseKey, releaseNamespace, key, value) VALUES ($1, $2, $3, $4)`,
			key, s.namespace, label, value)
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) unlabel(ctx context.Context, tx *sql.Tx, key string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM custom_labels_v1 WHERE releaseKey = $1 AND releaseNamespace = $2`, key, s.namespace)
	return err
}

// arrived finds out whether a create whose answer got lost is stored.
func (s *Store) arrived(ctx context.Context, key, body string, failure error) bool {
	if !lost(failure) {
		return false
	}
	stored, err := s.body(ctx, s.database.db, key, "")
	return err == nil && stored == body
}

// Update replaces a stored revision. The row is locked while it is compared
// with what was last seen of it. See store.Records.
func (s *Store) Update(ctx context.Context, r *release.Release) error {
	body, err := release.Encode(r)
	if err != nil {
		return err
	}
	there, err := s.database.known(ctx)
	if err != nil {
		return s.about(r.Name, r.Revision, err)
	}
	if !there.releases {
		return s.about(r.Name, r.Revision, release.ErrNotFound)
	}
	if err := s.database.setUp(ctx); err != nil {
		return s.about(r.Name, r.Revision, err)
	}
	key := store.ObjectName(r.Name, r.Revision)
	if err := s.database.within(ctx, func(tx *sql.Tx) error { return s.replace(ctx, tx, key, string(body), r) }); err != nil {
		return s.about(r.Name, r.Revision, err)
	}
	s.saw(key, string(body))
	return nil
}

func (s *Store) replace(ctx context.Context, tx *sql.Tx, key, body string, r *release.Release) error {
	stored, err := s.body(ctx, tx, key, " FOR UPDATE")
	if err != nil {
		return err
	}
	if before, known := s.last(key); known && stored != body && before != sha256.Sum256([]byte(stored)) {
		return release.ErrConflict
	}
	_, err = tx.ExecContext(ctx,
		`UPDATE releases_v1 SET body = $3, name = $4, version = $5, status = $6, owner = $7, modifiedAt = $8 WHERE key = $1 AND namespace = $2`,
		key, s.namespace, body, r.Name, r.Revision, string(r.Info.Status), rowOwner, s.now().Unix())
	if err != nil {
		return err
	}
	return s.relabel(ctx, tx, key, r)
}

// querier is a connection or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// body reads a row's content; release.ErrNotFound where there is no such row.
func (s *Store) body(ctx context.Context, q querier, key, suffix string) (string, error) {
	var body string
	err := q.QueryRowContext(ctx, `SELECT body FROM releases_v1 WHERE key = $1 AND namespace = $2`+suffix, key, s.namespace).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", release.ErrNotFound
	}
	return body, err
}

// Delete removes one revision. See store.Records.
func (s *Store) Delete(ctx context.Context, r *release.Release) error {
	key := store.ObjectName(r.Name, r.Revision)
	there, err := s.database.known(ctx)
	if err != nil {
		return s.about(r.Name, r.Revision, err)
	}
	if !there.releases {
		return nil
	}
	err = s.database.within(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM releases_v1 WHERE key = $1 AND namespace = $2`, key, s.namespace); err != nil || !there.labels {
			return err
		}
		return s.unlabel(ctx, tx, key)
	})
	if err != nil {
		return s.about(r.Name, r.Revision, err)
	}
	s.mu.Lock()
	delete(s.seen, key)
	s.mu.Unlock()
	return nil
}

// Get reads one revision. See store.Records.
func (s *Store) Get(ctx context.Context, name string, revision int) (*release.Release, error) {
	rows, err := s.rows(ctx, query{namespace: s.namespace, name: name, revision: revision, body: true})
	if err != nil {
		return nil, s.about(name, revision, err)
	}
	if len(rows) == 0 {
		return nil, s.about(name, revision, release.ErrNotFound)
	}
	s.saw(rows[0].key, rows[0].body)
	return rows[0].decode()
}

// Owner is nil but for what tells the record from an earlier one of its name:
// a row is no object that could own anything. See store.Records.
func (s *Store) Owner(ctx context.Context, name string, revision int) (*metav1.OwnerReference, error) {
	rows, err := s.rows(ctx, query{namespace: s.namespace, name: name, revision: revision})
	if err != nil {
		return nil, s.about(name, revision, err)
	}
	if len(rows) == 0 {
		return nil, s.about(name, revision, release.ErrNotFound)
	}
	return &metav1.OwnerReference{UID: types.UID("sql-" + strconv.FormatInt(rows[0].created, 10))}, nil
}

// about says which record an error is about.
func (s *Store) about(name string, revision int, err error) error {
	var database *Error
	if errors.As(err, &database) || errors.Is(err, context.Canceled) {
		return err // it is about them all
	}
	return &store.RecordError{Name: name, Namespace: s.namespace, Revision: revision, Err: err}
}

// isOurs tells answers that are about a record and not about the database.
func isOurs(err error) bool {
	return slices.ContainsFunc([]error{release.ErrNotFound, release.ErrExists, release.ErrConflict}, func(known error) bool { return errors.Is(err, known) })
}

func (s *Store) saw(key, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[key] = sha256.Sum256([]byte(body))
}

func (s *Store) last(key string) ([sha256.Size]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum, known := s.seen[key]
	return sum, known
}
