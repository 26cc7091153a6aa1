package chart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
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

// OpenOptions say what a chart may hold. The zero value is Pintle's default.
type OpenOptions struct {
	Limits Limits
	// LinkRoots are folders outside a chart's folder into which links in it may
	// lead: what is there counts as part of the chart. They do not serve archives.
	LinkRoots []string
}

// Load locates, reads and checks a chart that is to be rendered: Open, then
// CheckInstallable.
func Load(ref string, opts OpenOptions) (*Chart, error) {
	path, err := Locate(ref, LocateOptions{})
	if err != nil {
		return nil, err
	}
	c, err := Open(path, opts)
	if err != nil {
		return nil, err
	}
	if err := c.CheckInstallable(); err != nil {
		return nil, err
	}
	return c, nil
}

// Open reads a chart from a folder or an archive, whatever its type, with
// missing dependencies or not. A chart that cannot be read, that is above a
// limit or that reaches outside itself is a diag.Problem.
func Open(path string, opts OpenOptions) (*Chart, error) {
	in := &intake{limits: opts.Limits}
	loaded, err := in.load(path, opts.LinkRoots)
	if err != nil {
		if found := diag.Problems(err); found != nil {
			return nil, found
		}
		return nil, loadProblem(path, err)
	}
	if v := loaded.Metadata.APIVersion; v != helmchart.APIVersionV1 && v != helmchart.APIVersionV2 {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("charts of apiVersion %q are not supported", v),
			Detail:  "it must be v2, or v1 for charts of Helm 2",
			File:    filepath.Join(path, "Chart.yaml"),
		}
	}
	orderSubcharts(loaded)
	c := &Chart{helm: loaded, warnings: in.warnings}
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
	subchart   = regexp.MustCompile(`error unpacking subchart (\S+) in \S+: `)
)

// loadProblem makes a problem of what Helm's loader reports. The file is the
// chart's path joined with that of the broken file.
func loadProblem(path string, err error) error {
	text := err.Error()
	folder := path
	for _, m := range subchart.FindAllStringSubmatch(text, -1) {
		folder = filepath.Join(folder, "charts", m[1])
	}
	text = subchart.ReplaceAllString(text, "")
	switch m := loadedFile.FindStringSubmatch(text); {
	case m != nil:
		return brokenFile(folder, m[1], m[2], err)
	case strings.Contains(text, "Chart.yaml file is missing"):
		return diag.Problem{Summary: fmt.Sprintf("%q is not a chart", folder), Detail: "there is no Chart.yaml in it"}
	case strings.HasPrefix(text, "validation: "):
		return diag.Problem{
			Summary: fmt.Sprintf("Chart.yaml of chart %q is not valid", folder),
			Detail:  strings.TrimPrefix(text, "validation: "),
			File:    filepath.Join(folder, "Chart.yaml"),
		}
	default:
		return diag.Problem{Summary: fmt.Sprintf("chart %q cannot be read", folder), Detail: text}
	}
}

// brokenFile is for a YAML file of a chart that does not parse. In a folder
// its line is looked for; in an archive the parser's word has to do.
func brokenFile(folder, name, message string, err error) error {
	p := diag.Problem{
		Summary: fmt.Sprintf("%s of chart %q is not valid", name, folder),
		Detail:  trimYAML(message),
		File:    filepath.Join(folder, name),
	}
	data, _ := os.ReadFile(p.File) // not there in an archive
	p.Line = brokenLine(string(data), err)
	return p
}
