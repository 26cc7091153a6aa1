package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/lib/pq"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
)

// query says which rows are meant; what is empty or 0 does not choose.
type query struct {
	namespace, name string
	revision        int
	// places are single rows, as namespace/key.
	places []string
	// body asks for the contents, too.
	body bool
}

// row is a stored revision.
type row struct {
	release.Entry
	key, body         string
	created, modified int64
}

// rows reads the rows that a query means, by namespace, name and revision,
// with the user's labels. Rows that are not in Helm's form are passed over.
func (s *Store) rows(ctx context.Context, q query) ([]row, error) {
	there, err := s.database.known(ctx)
	if err != nil || !there.releases {
		return nil, err
	}
	found, err := s.database.choose(ctx, q)
	if err != nil {
		return nil, s.database.fault(err)
	}
	slices.SortFunc(found, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Revision, b.Revision))
	})
	if there.labels && len(found) > 0 {
		err = s.database.label(ctx, q, found)
	}
	return found, s.database.fault(err)
}

// where words a query for a table with these names of columns.
func (q query) where(namespace, key string) (string, []any) {
	var conditions []string
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		conditions = append(conditions, fmt.Sprintf(condition, len(args)))
	}
	if q.namespace != "" {
		add(namespace+" = $%d", q.namespace)
	}
	if q.name != "" && q.revision > 0 {
		add(key+" = $%d", store.ObjectName(q.name, q.revision))
	}
	if len(q.places) > 0 {
		add(namespace+" || '/' || "+key+" = ANY($%d)", pq.Array(q.places))
	}
	if len(conditions) == 0 {
		return "true", nil
	}
	return strings.Join(conditions, " AND "), args
}

func (d *Database) choose(ctx context.Context, q query) ([]row, error) {
	where, args := q.where("namespace", "key")
	if q.name != "" {
		args = append(args, q.name)
		where += fmt.Sprintf(" AND name = $%d", len(args))
	}
	body := "''"
	if q.body {
		body = "body"
	}
	rows, err := d.db.QueryContext(ctx, `SELECT key, namespace, name, version, status, createdAt, modifiedAt, `+body+
		` FROM releases_v1 WHERE owner = '`+rowOwner+`' AND `+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what went wrong is in rows.Err
	var found []row
	for rows.Next() {
		r := row{Entry: release.Entry{Labels: map[string]string{}}}
		if err := rows.Scan(&r.key, &r.Namespace, &r.Name, &r.Revision, &r.Status, &r.created, &r.modified, &r.body); err != nil {
			return nil, err
		}
		if r.key != store.ObjectName(r.Name, r.Revision) {
			continue
		}
		r.Modified = time.Unix(max(r.created, r.modified), 0)
		found = append(found, r)
	}
	return found, rows.Err()
}

// label adds the user's labels to rows.
func (d *Database) label(ctx context.Context, q query, found []row) error {
	byPlace := make(map[string]*row, len(found))
	for i := range found {
		byPlace[found[i].place()] = &found[i]
	}
	where, args := q.where("releaseNamespace", "releaseKey")
	rows, err := d.db.QueryContext(ctx, `SELECT releaseNamespace, releaseKey, key, value FROM custom_labels_v1 WHERE `+where, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what went wrong is in rows.Err
	for rows.Next() {
		var namespace, key, label, value string
		if err := rows.Scan(&namespace, &key, &label, &value); err != nil {
			return err
		}
		if r := byPlace[namespace+"/"+key]; r != nil && !store.IsSystemLabel(label) {
			r.Labels[label] = value
		}
	}
	return rows.Err()
}

func (r *row) place() string { return r.Namespace + "/" + r.key }

// all are the labels that a selector goes by, which are those that a Secret would have.
func (r *row) all() labels.Set {
	set := labels.Set{
		"name": r.Name, "owner": rowOwner, "status": string(r.Status), "version": strconv.Itoa(r.Revision),
		"createdAt": strconv.FormatInt(r.created, 10),
	}
	if r.modified > 0 {
		set["modifiedAt"] = strconv.FormatInt(r.modified, 10)
	}
	for key, value := range r.Labels {
		set[key] = value
	}
	return set
}

// decode reads the record and checks that it is the one that its key says.
func (r *row) decode() (*release.Release, error) {
	fail := func(err error) error {
		return &store.RecordError{Name: r.Name, Namespace: r.Namespace, Revision: r.Revision, Err: err}
	}
	record, err := release.Decode([]byte(r.body))
	if err != nil {
		return nil, fail(err)
	}
	if store.ObjectName(record.Name, record.Revision) != r.key {
		return nil, fail(&release.DecodeError{Err: fmt.Errorf("it is that of revision %d of release %s", record.Revision, record.Name)})
	}
	if record.Namespace == "" {
		record.Namespace = r.Namespace
	}
	record.Labels = r.Labels
	return record, nil
}

// Index lists a release's revisions. See store.Records.
func (s *Store) Index(ctx context.Context, name string) ([]release.Entry, error) {
	rows, err := s.rows(ctx, query{namespace: s.namespace, name: name})
	entries := make([]release.Entry, len(rows))
	for i, r := range rows {
		entries[i] = r.Entry
	}
	return entries, err
}

// History reads all revisions of a release. See store.Records.
func (s *Store) History(ctx context.Context, name string) ([]*release.Release, error) {
	rows, err := s.rows(ctx, query{namespace: s.namespace, name: name, body: true})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		s.saw(r.key, r.body)
	}
	return decode(rows)
}

// Outlines is History here: rows hold no hints. See store.Records.
func (s *Store) Outlines(ctx context.Context, name string) ([]*release.Release, error) {
	rows, err := s.rows(ctx, query{namespace: s.namespace, name: name, body: true})
	if err != nil {
		return nil, err
	}
	return decode(rows)
}

// List gives the latest revision of each release. See store.Records.
func (s *Store) List(ctx context.Context, opts store.ListOptions) ([]*release.Release, error) {
	selector, err := labels.Parse(opts.Selector)
	if err != nil {
		return nil, fmt.Errorf("reading the selector %q: %w", opts.Selector, err)
	}
	q := query{namespace: s.namespace}
	if opts.AllNamespaces {
		q.namespace = ""
	}
	rows, err := s.rows(ctx, q)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return !selector.Matches(r.all()) })
	var wanted []string
	for i, r := range rows {
		// Rows are sorted: the last of each release is its latest.
		if i+1 < len(rows) && rows[i+1].Name == r.Name && rows[i+1].Namespace == r.Namespace {
			continue
		}
		if opts.Keep == nil || opts.Keep(r.Entry) {
			wanted = append(wanted, r.place())
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	if rows, err = s.rows(ctx, query{places: wanted, body: true}); err != nil {
		return nil, err
	}
	return decode(rows)
}

// decode reads several records at once. Those that cannot be read are left
// out and joined into the error.
func decode(rows []row) ([]*release.Release, error) {
	records := make([]*release.Release, len(rows))
	faults := make([]error, len(rows))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range rows {
		g.Go(func() error {
			records[i], faults[i] = rows[i].decode()
			return nil
		})
	}
	_ = g.Wait() // each reports in its own slot
	return slices.DeleteFunc(records, func(r *release.Release) bool { return r == nil }), errors.Join(faults...)
}
