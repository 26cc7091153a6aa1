// Package release is the release record: its fields, its legal status
// changes, the hooks of a chart, and the exact bytes that Helm reads and
// writes. It reaches no cluster; keeping records is the work of
// internal/release/store.
package release

import (
	"encoding/json"
	"time"
)

// Status is the state of one revision, in Helm's words.
type Status string

// The statuses that Helm writes.
const (
	Unknown         Status = "unknown"
	Deployed        Status = "deployed"
	Uninstalled     Status = "uninstalled"
	Superseded      Status = "superseded"
	Failed          Status = "failed"
	Uninstalling    Status = "uninstalling"
	PendingInstall  Status = "pending-install"
	PendingUpgrade  Status = "pending-upgrade"
	PendingRollback Status = "pending-rollback"
)

// Pending tells that an operation was under way when the status was written.
func (s Status) Pending() bool {
	return s == PendingInstall || s == PendingUpgrade || s == PendingRollback
}

// Final tells that no operation is under way: every exit of an operation
// leaves such a status behind.
func (s Status) Final() bool { return !s.Pending() && s != Uninstalling && s != Unknown }

// Apply methods, as Helm 4 writes them in a record.
const (
	ServerSide = "ssa"
	ClientSide = "csa"
)

// Release is one revision of one release: what Helm keeps in one Secret.
// Fields that this version of Pintle does not know survive decoding and
// encoding (see the codec).
type Release struct {
	Name      string
	Namespace string
	Revision  int
	Info      Info
	// Chart is the chart as Helm encodes it. It is carried as it was read, and
	// decoded by internal/chart only where templates or values are needed.
	Chart json.RawMessage
	// Config are the values that the user gave, without the chart's defaults.
	Config map[string]any
	// Manifest holds the ordinary objects, each document headed by "# Source:".
	Manifest string
	Hooks    []*Hook
	// ApplyMethod is ServerSide, ClientSide or, in records of Helm 3, empty,
	// which means client-side.
	ApplyMethod string
	// Labels are the user's own labels on the record's Secret or ConfigMap.
	// They are not part of the encoded record.
	Labels map[string]string

	unknown map[string]json.RawMessage
	// outlined marks a record of which only what lists show is here.
	outlined bool
}

// Info is what is known of a revision beside its content. Zero times mean
// that the moment has not come.
type Info struct {
	FirstDeployed time.Time
	LastDeployed  time.Time
	Deleted       time.Time
	Description   string
	Status        Status
	// RollbackRevision is the revision that a rollback went back to, else 0.
	RollbackRevision int
	Notes            string

	unknown map[string]json.RawMessage
}

// Metadata is the part of a chart that lists and tables show.
type Metadata struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
}

// ChartMetadata decodes name and versions of the record's chart; the rest of
// the chart is not decoded. A record without a chart gives a zero value.
func (r *Release) ChartMetadata() Metadata {
	var c struct {
		Metadata Metadata `json:"metadata"`
	}
	_ = json.Unmarshal(r.Chart, &c) // a broken chart shows as an empty name: listing must go on
	return c.Metadata
}

// SetStatus is the one way to change a status: it keeps the description
// beside it, as Helm does.
func (r *Release) SetStatus(s Status, description string) {
	r.Info.Status, r.Info.Description = s, description
}

// Clone copies the record deeply enough that status, hooks' last runs and
// labels of the copy change without the original. Manifest, chart and config
// are shared: they are never changed in place.
func (r *Release) Clone() *Release {
	c := *r
	c.Hooks = make([]*Hook, len(r.Hooks))
	for i, h := range r.Hooks {
		hook := *h
		c.Hooks[i] = &hook
	}
	c.Labels = make(map[string]string, len(r.Labels))
	for k, v := range r.Labels {
		c.Labels[k] = v
	}
	return &c
}
