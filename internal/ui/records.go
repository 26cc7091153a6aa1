package ui

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/pintle-dev/pintle/internal/release"
)

// ListRow is one release in `list`, with the field names of Helm.
type ListRow struct {
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	Revision   string `json:"revision"`
	Updated    string `json:"updated"`
	Status     string `json:"status"`
	Chart      string `json:"chart"`
	AppVersion string `json:"app_version"`
}

// ListRowOf makes the row of a record. timeFormat is Go's, or empty for Helm's
// own way of writing times.
func ListRowOf(r *release.Release, timeFormat string) ListRow {
	chart, app := chartWords(r)
	row := ListRow{
		Name: r.Name, Namespace: r.Namespace, Revision: strconv.Itoa(r.Revision), Updated: "-",
		Status: string(r.Info.Status), Chart: chart, AppVersion: app,
	}
	switch t := r.Info.LastDeployed; {
	case t.IsZero():
	case timeFormat != "":
		row.Updated = t.Format(timeFormat)
	default:
		row.Updated = t.String()
	}
	return row
}

// chartWords are name-version and app version; Helm's word where a record has
// no chart is MISSING.
func chartWords(r *release.Release) (chart, app string) {
	meta := r.ChartMetadata()
	if meta.Name == "" && meta.Version == "" {
		return "MISSING", "MISSING"
	}
	return meta.Name + "-" + meta.Version, meta.AppVersion
}

// ListOptions steer WriteList.
type ListOptions struct {
	Format Format
	// Short writes names only.
	Short     bool
	NoHeaders bool
	Color     bool
}

// WriteList writes the table of `list`.
func WriteList(w io.Writer, rows []ListRow, opts ListOptions) error {
	if opts.Short {
		return writeNames(w, rows, opts.Format)
	}
	if rows == nil {
		rows = []ListRow{} // an empty array, not null
	}
	return WriteAs(w, opts.Format, rows, func() string {
		s := style{opts.Color}
		var cells [][]string
		if !opts.NoHeaders {
			cells = append(cells, headers(s, "NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION"))
		}
		for _, r := range rows {
			cells = append(cells, []string{r.Name, r.Namespace, r.Revision, r.Updated, s.status(r.Status), r.Chart, r.AppVersion})
		}
		return tabular(cells)
	})
}

func writeNames(w io.Writer, rows []ListRow, f Format) error {
	names := make([]string, len(rows))
	text := ""
	for i, r := range rows {
		names[i] = r.Name
		text += r.Name + "\n"
	}
	return WriteAs(w, f, names, func() string { return text })
}

func headers(s style, names ...string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = s.with(bold, name)
	}
	return out
}

// status colours a release's status as Helm does.
func (s style) status(status string) string {
	look := lipgloss.NewStyle()
	switch st := release.Status(status); {
	case st == release.Deployed:
		look = good
	case st == release.Failed || st == release.Unknown:
		look = bad
	case !st.Final():
		look = warn
	}
	return s.with(look, status)
}

// HistoryRow is one revision in `history`, with the field names of Helm.
type HistoryRow struct {
	Revision         int       `json:"revision"`
	Updated          time.Time `json:"updated,omitzero"`
	Status           string    `json:"status"`
	Chart            string    `json:"chart"`
	AppVersion       string    `json:"app_version"`
	RollbackRevision int       `json:"rollback_revision,omitempty"`
	Description      string    `json:"description"`
}

// HistoryRowOf makes the row of a record.
func HistoryRowOf(r *release.Release) HistoryRow {
	chart, app := chartWords(r)
	return HistoryRow{
		Revision: r.Revision, Updated: r.Info.LastDeployed, Status: string(r.Info.Status), Chart: chart, AppVersion: app,
		RollbackRevision: r.Info.RollbackRevision, Description: r.Info.Description,
	}
}

// HistoryOptions steer WriteHistory.
type HistoryOptions struct {
	Format Format
	// ShowRollback adds the column of what a rollback went back to; JSON and
	// YAML have it in any case.
	ShowRollback bool
	Color        bool
}

// WriteHistory writes the table of `history`, in the order of the rows.
func WriteHistory(w io.Writer, rows []HistoryRow, opts HistoryOptions) error {
	if rows == nil {
		rows = []HistoryRow{}
	}
	return WriteAs(w, opts.Format, rows, func() string {
		s := style{opts.Color}
		names := []string{"REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"}
		if opts.ShowRollback {
			names = []string{"REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "ROLLBACK", "DESCRIPTION"}
		}
		cells := [][]string{headers(s, names...)}
		for _, r := range rows {
			cells = append(cells, r.cells(s, opts.ShowRollback))
		}
		return tabular(cells)
	})
}

func (r HistoryRow) cells(s style, rollback bool) []string {
	cells := []string{strconv.Itoa(r.Revision), r.Updated.Format(time.ANSIC), s.status(r.Status), r.Chart, r.AppVersion}
	if rollback {
		to := ""
		if r.RollbackRevision > 0 {
			to = strconv.Itoa(r.RollbackRevision)
		}
		cells = append(cells, to)
	}
	return append(cells, r.Description)
}

// recordJSON is a record as Helm's -o json gives it: without its chart, but for
// those commands that have just dealt with it.
func recordJSON(r *release.Release, whole bool) (json.RawMessage, error) {
	bare := *r
	if !whole {
		bare.Chart = nil
	}
	return json.Marshal(&bare)
}

// withLive adds live objects to a record's JSON, as info.resources. The order
// of its fields stays.
func withLive(record json.RawMessage, live map[string][]any) (json.RawMessage, error) {
	if len(live) == 0 {
		return record, nil
	}
	var parts struct {
		Info json.RawMessage `json:"info"`
	}
	if err := json.Unmarshal(record, &parts); err != nil {
		return nil, err
	}
	objects, err := json.Marshal(live)
	if err != nil {
		return nil, err
	}
	open := bytes.TrimSuffix(parts.Info, []byte("}"))
	var comma []byte
	if len(bytes.TrimSpace(open)) > 1 {
		comma = []byte(",")
	}
	more := slices.Concat(open, comma, []byte(`"resources":`), objects, []byte("}"))
	return bytes.Replace(record, parts.Info, more, 1), nil
}
