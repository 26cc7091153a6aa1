package chart

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
)

// Chart is a loaded chart with its subcharts. It is never changed after it
// was loaded: what needs a different chart makes a new one.
type Chart struct {
	helm     *helmchart.Chart
	warnings diag.List
}

// Metadata is what Chart.yaml says about a chart.
type Metadata struct {
	Name        string
	Version     string
	AppVersion  string
	Description string
	// KubeVersion is a constraint such as ">=1.30.0-0", empty for none.
	KubeVersion string
	// Type is "application", "library" or empty, which means application.
	Type       string
	Deprecated bool
	// Annotations are those of Chart.yaml, not interpreted by Helm.
	Annotations map[string]string
}

// CRD is one file of the crds/ folder of a chart or subchart. Such files are
// not templates; one may hold several documents.
type CRD struct {
	// Source is the path from the root chart, such as "web/crds/gateway.yaml".
	Source string
	Data   []byte
}

// Metadata returns what Chart.yaml says; zero values where a record was read
// whose chart has none.
func (c *Chart) Metadata() Metadata {
	m := c.helm.Metadata
	if m == nil {
		return Metadata{}
	}
	return Metadata{
		Name:        m.Name,
		Version:     m.Version,
		AppVersion:  m.AppVersion,
		Description: m.Description,
		KubeVersion: m.KubeVersion,
		Type:        m.Type,
		Deprecated:  m.Deprecated,
		Annotations: m.Annotations,
	}
}

// Warnings are what a user of the chart should know although it can be used,
// such as that it is deprecated.
func (c *Chart) Warnings() diag.List { return c.warnings }

// CRDs lists the files of crds/ in the order in which Helm applies them: the
// chart's own, then those of each subchart. Before rendering, subcharts that
// values switch off are still included; use those of Rendered.
func (c *Chart) CRDs() []CRD {
	objects := c.helm.CRDObjects()
	crds := make([]CRD, len(objects))
	for i, o := range objects {
		crds[i] = CRD{Source: o.Filename, Data: o.File.Data}
	}
	return crds
}

// Defaults are the chart's own values (values.yaml), without those of
// subcharts. The map must not be changed.
func (c *Chart) Defaults() map[string]any { return c.helm.Values }

// Encode returns the chart as Helm keeps it inside a release record. As in
// Helm, subcharts are not part of it.
func (c *Chart) Encode() (json.RawMessage, error) {
	raw, err := json.Marshal(c.helm)
	if err != nil {
		return nil, fmt.Errorf("encoding chart %s: %w", c.helm.Name(), err)
	}
	return raw, nil
}

// Decode reads the chart of a release record. It has no subcharts and cannot
// be rendered again in full; it serves to show it and to carry values over.
// An empty record gives an empty chart.
func Decode(raw json.RawMessage) (*Chart, error) {
	c := &Chart{helm: &helmchart.Chart{}}
	if len(raw) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(raw, c.helm); err != nil {
		return nil, fmt.Errorf("decoding the chart of a release record: %w", err)
	}
	return c, nil
}

// clone copies what Helm changes when it processes dependencies: the tree and
// its metadata. Templates and files are shared; so are values, which Helm
// replaces as a whole.
func clone(c *helmchart.Chart) *helmchart.Chart {
	out := *c
	if c.Metadata != nil {
		out.Metadata = cloneMetadata(c.Metadata)
	}
	subcharts := make([]*helmchart.Chart, 0, len(c.Dependencies()))
	for _, sub := range c.Dependencies() {
		subcharts = append(subcharts, clone(sub))
	}
	out.SetDependencies(subcharts...)
	return &out
}

func cloneMetadata(m *helmchart.Metadata) *helmchart.Metadata {
	out := *m
	out.Dependencies = slices.Clone(m.Dependencies)
	for i, d := range out.Dependencies {
		if d != nil {
			copied := *d
			out.Dependencies[i] = &copied
		}
	}
	return &out
}

// orderSubcharts sorts subcharts by name and version. Helm keeps them in the
// random order of a map, which shows in the order of crds/ files.
func orderSubcharts(c *helmchart.Chart) {
	subcharts := slices.Clone(c.Dependencies())
	slices.SortStableFunc(subcharts, func(a, b *helmchart.Chart) int {
		return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Metadata.Version, b.Metadata.Version))
	})
	for _, sub := range subcharts {
		orderSubcharts(sub)
	}
	c.SetDependencies(subcharts...)
}
