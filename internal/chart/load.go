package chart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// LocateOptions says where to look for a chart that is not a local path.
// Repositories and registries are not reached yet; the zero value is all
// there is.
type LocateOptions struct{}

// Locate turns a chart reference into the path of a folder or an archive.
// An unknown reference is a diag.Problem that says what was looked for.
func Locate(ref string, _ LocateOptions) (string, error) {
	ref = strings.TrimSpace(ref)
	if ref == "" {
		return "", diag.Problem{Summary: "no chart was named", Detail: "give the path of a chart's folder or archive (.tgz)"}
	}
	_, err := os.Stat(ref)
	switch {
	case err == nil:
		return ref, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", notFound(ref)
	default:
		return "", diag.Problem{Summary: fmt.Sprintf("chart %q cannot be read", ref), Detail: err.Error()}
	}
}

func notFound(ref string) error {
	p := diag.Problem{Summary: fmt.Sprintf("no chart %q", ref)}
	switch {
	case strings.Contains(ref, "://"):
		p.Detail = "charts are read from a folder or an archive (.tgz) on disk; registries and repositories are not supported yet"
	default:
		path := ref
		if abs, err := filepath.Abs(ref); err == nil {
			path = abs
		}
		p.Detail = fmt.Sprintf("there is no folder and no archive at %s", path)
	}
	return p
}

// Load locates, reads and checks a chart that is to be rendered: Open, then
// CheckInstallable.
func Load(ref string) (*Chart, error) {
	path, err := Locate(ref, LocateOptions{})
	if err != nil {
		return nil, err
	}
	c, err := Open(path)
	if err != nil {
		return nil, err
	}
	if err := c.CheckInstallable(); err != nil {
		return nil, err
	}
	return c, nil
}

// Open reads a chart from a folder or an archive, whatever its type, with
// missing dependencies or not. A chart that cannot be read is a diag.Problem.
func Open(path string) (*Chart, error) {
	loaded, err := loader.Load(path)
	if err != nil {
		return nil, loadProblem(path, err)
	}
	orderSubcharts(loaded)
	c := &Chart{helm: loaded}
	if loaded.Metadata.Deprecated {
		c.warnings.Warnf("chart %s %s is deprecated", loaded.Name(), loaded.Metadata.Version)
	}
	return c, nil
}

// CheckInstallable reports what keeps the chart from being installed: that it
// is a library, or that charts/ lacks what Chart.yaml asks for.
func (c *Chart) CheckInstallable() error {
	var problems diag.List
	m := c.helm.Metadata
	file := m.Name + "/Chart.yaml"
	if m.Type != "" && m.Type != "application" {
		problems.Add(diag.Problem{
			Summary: fmt.Sprintf("chart %s is a %s chart, which cannot be installed", m.Name, m.Type),
			Detail:  "it only serves other charts, which name it as a dependency",
			File:    file,
		})
	}
	if missing := missingDependencies(c.helm); len(missing) > 0 {
		problems.Add(diag.Problem{
			Summary: fmt.Sprintf("chart %s lacks %s in charts/", m.Name, strings.Join(missing, ", ")),
			Detail:  "fetch what Chart.yaml asks for with `helm dependency build`",
			File:    file,
		})
	}
	return problems.Err()
}

// missingDependencies follows Helm: a dependency is there when some subchart
// has its name, whatever its version.
func missingDependencies(c *helmchart.Chart) []string {
	present := map[string]bool{}
	for _, sub := range c.Dependencies() {
		present[sub.Name()] = true
	}
	var missing []string
	for _, d := range c.Metadata.Dependencies {
		if !present[d.Name] {
			missing = append(missing, d.Name)
		}
	}
	return missing
}

var (
	loadedFile = regexp.MustCompile(`cannot load (\S+\.(?:yaml|lock)): (?s:(.*))`)
)

// loadProblem makes a problem of what Helm's loader reports. The file is the
// chart's path joined with the broken file; the line is the one that the YAML
// parser names.
func loadProblem(path string, err error) error {
	text := err.Error()
	if m := loadedFile.FindStringSubmatch(text); m != nil {
		p := diag.Problem{Summary: fmt.Sprintf("%s of chart %q is not valid", m[1], path), Detail: trimYAML(m[2])}
		p.File = filepath.Join(path, m[1])
		if line := yamlLine.FindStringSubmatch(m[2]); line != nil {
			p.Line, _ = strconv.Atoi(line[1])
		}
		return p
	}
	if strings.Contains(text, "Chart.yaml file is missing") {
		return diag.Problem{Summary: fmt.Sprintf("%q is not a chart", path), Detail: "there is no Chart.yaml in it"}
	}
	if strings.Contains(text, "chart.metadata") || strings.Contains(text, "dependencies") {
		return diag.Problem{
			Summary: fmt.Sprintf("Chart.yaml of chart %q is not valid", path),
			Detail:  strings.TrimPrefix(text, "validation: "),
			File:    filepath.Join(path, "Chart.yaml"),
		}
	}
	return diag.Problem{Summary: fmt.Sprintf("chart %q cannot be read", path), Detail: text}
}
