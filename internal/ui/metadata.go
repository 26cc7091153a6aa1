package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/labels"
)

// metadata is `get metadata`, with the field names of Helm.
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

func metadataOf(r *release.Release) metadata {
	chart := r.ChartMetadata()
	var more struct {
		Metadata struct {
			Annotations  map[string]string `json:"annotations"`
			Dependencies []json.RawMessage `json:"dependencies"`
		} `json:"metadata"`
	}
	_ = json.Unmarshal(r.Chart, &more) // a broken chart shows as an empty one, as in a list
	return metadata{
		Name: r.Name, Chart: chart.Name, Version: chart.Version, AppVersion: chart.AppVersion,
		Annotations: more.Metadata.Annotations, Labels: r.Labels, Dependencies: more.Metadata.Dependencies,
		Namespace: r.Namespace, Revision: r.Revision, Status: string(r.Info.Status),
		DeployedAt: r.Info.LastDeployed.Format(time.RFC3339), ApplyMethod: r.ApplyMethod,
	}
}

// WriteMetadata writes `get metadata`.
func WriteMetadata(w io.Writer, r *release.Release, f Format) error {
	m := metadataOf(r)
	return WriteAs(w, f, m, func() string {
		var b strings.Builder
		for _, row := range []struct {
			title string
			value any
		}{
			{"NAME", m.Name}, {"CHART", m.Chart}, {"VERSION", m.Version}, {"APP_VERSION", m.AppVersion},
			{"ANNOTATIONS", labels.Set(m.Annotations)}, {"LABELS", labels.Set(m.Labels)}, {"DEPENDENCIES", m.dependencyNames()},
			{"NAMESPACE", m.Namespace}, {"REVISION", m.Revision}, {"STATUS", m.Status}, {"DEPLOYED_AT", m.DeployedAt},
			{"APPLY_METHOD", applyMethod(m.ApplyMethod)},
		} {
			fmt.Fprintf(&b, "%s: %v\n", row.title, row.value)
		}
		return b.String()
	})
}

func (m metadata) dependencyNames() string {
	var names []string
	for _, raw := range m.Dependencies {
		var d struct {
			Name string `json:"name"`
		}
		_ = json.Unmarshal(raw, &d)
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

func applyMethod(method string) string {
	switch method {
	case "":
		return "client-side apply (defaulted)"
	case release.ClientSide:
		return "client-side apply"
	case release.ServerSide:
		return "server-side apply"
	default:
		return fmt.Sprintf("unknown (%q)", method)
	}
}
