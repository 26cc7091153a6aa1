package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
)

// metadata is what `get metadata` tells, with the field names of Helm.
type metadata struct {
	Name         string            `json:"name"`
	Chart        string            `json:"chart"`
	Version      string            `json:"version"`
	AppVersion   string            `json:"appVersion"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	Dependencies []json.RawMessage `json:"dependencies,omitempty"`
	Namespace    string            `json:"namespace"`
	Revision     int               `json:"revision"`
	Status       string            `json:"status"`
	DeployedAt   string            `json:"deployedAt"`
	ApplyMethod  string            `json:"applyMethod,omitempty"`
}

// WriteMetadata writes `get metadata`.
func WriteMetadata(w io.Writer, r *release.Release, f Format) error {
	var chart struct {
		Metadata struct {
			release.Metadata
			Annotations  map[string]string `json:"annotations"`
			Dependencies []json.RawMessage `json:"dependencies"`
		} `json:"metadata"`
	}
	if len(r.Chart) > 0 {
		if err := json.Unmarshal(r.Chart, &chart); err != nil {
			return fmt.Errorf("reading the chart of revision %d of %s: %w", r.Revision, r.Name, err)
		}
	}
	m := metadata{
		Name: r.Name, Chart: chart.Metadata.Name, Version: chart.Metadata.Version, AppVersion: chart.Metadata.AppVersion,
		Annotations: chart.Metadata.Annotations, Labels: r.Labels, Dependencies: chart.Metadata.Dependencies,
		Namespace: r.Namespace, Revision: r.Revision, Status: string(r.Info.Status),
		DeployedAt: r.Info.LastDeployed.Format(time.RFC3339), ApplyMethod: r.ApplyMethod,
	}
	return WriteAs(w, f, m, m.table)
}

func (m metadata) table() string {
	var names []string
	for _, raw := range m.Dependencies {
		var d struct{ Name string }
		_ = json.Unmarshal(raw, &d) // without a name there is nothing to show
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return fmt.Sprintf("NAME: %s\nCHART: %s\nVERSION: %s\nAPP_VERSION: %s\nANNOTATIONS: %s\nLABELS: %s\nDEPENDENCIES: %s\n"+
		"NAMESPACE: %s\nREVISION: %d\nSTATUS: %s\nDEPLOYED_AT: %s\nAPPLY_METHOD: %s\n",
		m.Name, m.Chart, m.Version, m.AppVersion, pairs(m.Annotations), pairs(m.Labels), strings.Join(names, ","),
		m.Namespace, m.Revision, m.Status, m.DeployedAt, applyMethod(m.ApplyMethod))
}

// pairs are labels as Kubernetes writes them.
func pairs(labels map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, key+"="+labels[key])
	}
	return strings.Join(parts, ",")
}

func applyMethod(method string) string {
	switch method {
	case "":
		return "client-side apply (defaulted)"
	case release.ClientSide:
		return "client-side apply"
	case release.ServerSide:
		return "server-side apply"
	}
	return fmt.Sprintf("unknown (%q)", method)
}
