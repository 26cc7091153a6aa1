package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/pintle-dev/pintle/internal/object"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// asPrinted asks for what kubectl shows: the API server itself picks the columns.
const asPrinted = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json"

// Table is live objects of one kind, as people read them.
type Table struct {
	Kind string
	// Version is without the group, such as "v1".
	Version string
	// Related tells pods that belong to the objects before, and are not among
	// those that were asked for.
	Related bool
	// Columns are the heads, Rows the cells below them.
	Columns []string
	Rows    [][]string
}

// Tables reads objects as kubectl shows them: a table for each kind, in the
// order of the references, and one of the pods that selectors picks, by
// namespace and label selector. An object that is not there, or of a kind that
// is not served, has a row that says so.
func (c *Client) Tables(ctx context.Context, refs []object.Ref, selectors []Selector) ([]Table, error) {
	parts := make([]Table, len(refs)+len(selectors))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, ref := range refs {
		group.Go(func() (err error) {
			parts[i], err = c.tableOf(ctx, ref)
			return err
		})
	}
	for i, s := range selectors {
		group.Go(func() (err error) {
			parts[len(refs)+i], err = c.podTable(ctx, s)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return joinTables(parts), nil
}

// Selector picks pods of one namespace by their labels.
type Selector struct {
	Namespace string
	Labels    string
}

func (c *Client) tableOf(ctx context.Context, ref object.Ref) (Table, error) {
	absent := Table{Kind: ref.Kind, Version: ref.Version, Rows: [][]string{{ref.Name, "(not in the cluster)"}}}
	p, err := c.locate(ctx, ref, false)
	if IsUnknownKind(err) {
		return absent, nil
	}
	if err != nil {
		return Table{}, err
	}
	t, err := c.table(ctx, request{verb: "get", path: p.path(ref.Name), ref: ref})
	if apierrors.IsNotFound(err) {
		return absent, nil
	}
	t.Kind, t.Version = ref.Kind, ref.Version
	return t, err
}

func (c *Client) podTable(ctx context.Context, s Selector) (Table, error) {
	ref := object.Ref{Version: "v1", Kind: "Pod", Namespace: c.in(s.Namespace)}
	r := request{verb: "list", path: "/api/v1/namespaces/" + ref.Namespace + "/pods", query: url.Values{"labelSelector": {s.Labels}}, ref: ref}
	t, err := c.table(ctx, r)
	t.Kind, t.Version, t.Related = ref.Kind, ref.Version, true
	return t, err
}

func (c *Client) table(ctx context.Context, r request) (Table, error) {
	r.accept = asPrinted
	resp, err := c.do(ctx, r)
	if err != nil {
		return Table{}, err
	}
	var body struct {
		Columns []struct {
			Name     string `json:"name"`
			Priority int    `json:"priority"`
		} `json:"columnDefinitions"`
		Rows []struct {
			Cells []any `json:"cells"`
		} `json:"rows"`
	}
	if err := json.Unmarshal(resp.body, &body); err != nil {
		return Table{}, c.refused(r.verb, r.ref, err)
	}
	var t Table
	for i, column := range body.Columns {
		if column.Priority != 0 {
			continue // those are for wide tables
		}
		t.Columns = append(t.Columns, column.Name)
		for n, row := range body.Rows {
			if n == len(t.Rows) {
				t.Rows = append(t.Rows, nil)
			}
			if i < len(row.Cells) {
				t.Rows[n] = append(t.Rows[n], cell(row.Cells[i]))
			}
		}
	}
	return t, nil
}

func cell(value any) string {
	if value == nil {
		return "<none>"
	}
	return fmt.Sprint(value)
}

// joinTables puts the rows of one kind together, in the order of its first object.
func joinTables(parts []Table) []Table {
	type key struct {
		kind, version string
		related       bool
	}
	at := map[key]int{}
	seen := map[key]map[string]bool{}
	var out []Table
	for _, t := range parts {
		k := key{t.Kind, t.Version, t.Related}
		i, known := at[k]
		if !known {
			i = len(out)
			at[k], seen[k] = i, map[string]bool{}
			out = append(out, Table{Kind: t.Kind, Version: t.Version, Related: t.Related})
		}
		if len(out[i].Columns) == 0 {
			out[i].Columns = t.Columns
		}
		for _, row := range t.Rows {
			if len(row) > 0 && !seen[k][row[0]] {
				seen[k][row[0]] = true
				out[i].Rows = append(out[i].Rows, row)
			}
		}
	}
	return out
}
