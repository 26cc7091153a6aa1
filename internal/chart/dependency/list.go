package dependency

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// Listing is what a chart wants and what is there.
type Listing struct {
	// Rows are name, version, repository and status of each dependency; nil for
	// a chart that has none.
	Rows [][]string
	// Warnings are about files in charts/ that nobody asked for.
	Warnings []string
}

// List compares Chart.yaml with charts/. The words are Helm's.
func List(path string) (Listing, error) {
	c, err := loader.Load(path)
	if err != nil {
		return Listing{}, diag.Problem{Summary: fmt.Sprintf("chart %q cannot be read", path), Detail: err.Error()}
	}
	if c.Metadata.Dependencies == nil {
		return Listing{Warnings: []string{fmt.Sprintf("WARNING: no dependencies at %s", filepath.Join(path, "charts"))}}, nil
	}
	var out Listing
	for _, d := range c.Metadata.Dependencies {
		out.Rows = append(out.Rows, []string{d.Name, d.Version, d.Repository, status(path, d, c)})
	}
	files, err := filepath.Glob(filepath.Join(path, "charts", "*"))
	if err != nil {
		return out, fmt.Errorf("looking into charts/: %w", err)
	}
	for _, f := range files {
		if w := stray(f, c.Metadata.Dependencies); w != "" {
			out.Warnings = append(out.Warnings, w)
		}
	}
	return out, nil
}

// stray says what is odd about a file in charts/; empty for nothing.
func stray(file string, wanted []*helmchart.Dependency) string {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Sprintf("Warning: %s", err)
	}
	if !info.IsDir() && filepath.Ext(file) != ".tgz" {
		return ""
	}
	c, err := loader.Load(file)
	if err != nil {
		return fmt.Sprintf("WARNING: %q is not a chart.", file)
	}
	for _, d := range wanted {
		if d.Name == c.Name() {
			return ""
		}
	}
	return fmt.Sprintf("WARNING: %q is not in Chart.yaml.", file)
}

// status is what is in charts/ for a dependency: an archive ("ok"), a folder
// ("unpacked"), nothing ("missing"), or what is wrong.
func status(path string, d *helmchart.Dependency, parent *helmchart.Chart) string {
	archives, err := filepath.Glob(filepath.Join(path, "charts", d.Name+"-*.tgz"))
	if err != nil {
		return "bad pattern"
	}
	if len(archives) > 1 {
		archives = exactly(archives, d.Name)
	}
	switch len(archives) {
	case 0:
	case 1:
		return archiveStatus(archives[0], d)
	default:
		return "too many matches"
	}
	for _, sub := range parent.Dependencies() {
		if sub.Name() == d.Name {
			if wrong := fits(sub.Metadata.Version, d.Version); wrong != "" {
				return wrong
			}
			return "unpacked"
		}
	}
	return "missing"
}

// exactly leaves the archives whose names are the chart's and a version.
func exactly(archives []string, name string) []string {
	var out []string
	for _, a := range archives {
		version := strings.TrimPrefix(strings.TrimSuffix(filepath.Base(a), ".tgz"), name+"-")
		if _, err := semver.StrictNewVersion(version); err == nil {
			out = append(out, a)
		}
	}
	return out
}

func archiveStatus(archive string, d *helmchart.Dependency) string {
	c, err := loader.Load(archive)
	switch {
	case err != nil:
		return "corrupt"
	case c.Name() != d.Name:
		return "misnamed"
	}
	if wrong := fits(c.Metadata.Version, d.Version); wrong != "" {
		return wrong
	}
	return "ok"
}

// fits says what is wrong with a version; empty for nothing.
func fits(version, wanted string) string {
	if version == wanted {
		return ""
	}
	within, err := semver.NewConstraint(wanted)
	if err != nil {
		return "invalid version"
	}
	v, err := semver.NewVersion(version)
	if err != nil {
		return "invalid version"
	}
	if !within.Check(v) {
		return "wrong version"
	}
	return ""
}
