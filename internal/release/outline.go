package release

import (
	"encoding/json"
	"errors"
	"time"
)

// errOutline keeps an outline from being stored in place of its record: what
// it lacks would be pruned from the cluster by the next upgrade.
var errOutline = errors.New("this is an outline of the record and not all of it")

// outlineVersion is that of the hint's form; hints of others are not read.
const outlineVersion = 2

// maxOutlineText bounds the description in a hint.
const maxOutlineText = 2 << 10

// outline is the hint that a store keeps beside a record, so that lists need
// not decode it. Stamp, Revision and Status tell whether it is about the
// record as it is now.
type outline struct {
	Version     int       `json:"v"`
	Revision    int       `json:"revision"`
	Status      Status    `json:"status"`
	Stamp       string    `json:"stamp,omitempty"`
	Updated     time.Time `json:"updated,omitzero"`
	Description string    `json:"description,omitempty"`
	Chart       Metadata  `json:"chart"`
	// Rollback is the revision that a rollback went back to; 0 for none.
	Rollback int `json:"rollback,omitempty"`
}

// Hint gives what Outline later needs, in one line of JSON; stamp is anything
// that changes whenever the record is written by whoever. It is empty for a record whose
// description is too long to keep twice.
func (r *Release) Hint(stamp string) string {
	if len(r.Info.Description) > maxOutlineText || r.outlined {
		return ""
	}
	hint, err := json.Marshal(outline{
		Version: outlineVersion, Revision: r.Revision, Status: r.Info.Status, Stamp: stamp,
		Updated: r.Info.LastDeployed, Description: r.Info.Description, Chart: r.ChartMetadata(), Rollback: r.Info.RollbackRevision,
	})
	if err != nil {
		return "" // a time without a JSON form: whoever lists must decode
	}
	return string(hint)
}

// Outline makes of an index entry and a hint what lists and tables show of a
// revision: names, status, description, the time of the last deployment, chart
// name and versions, labels. It is false when the hint is missing or stale. An outline
// cannot be encoded.
func Outline(e Entry, hint, stamp string) (*Release, bool) {
	var o outline
	if hint == "" || json.Unmarshal([]byte(hint), &o) != nil {
		return nil, false
	}
	if o.Version != outlineVersion || o.Revision != e.Revision || o.Status != e.Status || o.Stamp != stamp {
		return nil, false
	}
	r := &Release{Name: e.Name, Namespace: e.Namespace, Revision: e.Revision, Labels: e.Labels, outlined: true}
	r.Info = Info{Status: o.Status, LastDeployed: o.Updated, Description: o.Description, RollbackRevision: o.Rollback}
	if o.Chart != (Metadata{}) {
		r.Chart, _ = json.Marshal(map[string]Metadata{"metadata": o.Chart}) // plain text fields always have a JSON form
	}
	return r, true
}

// IsOutline tells that manifest, hooks, values and most of the chart are not
// in memory, though they are in the store.
func (r *Release) IsOutline() bool { return r.outlined }
