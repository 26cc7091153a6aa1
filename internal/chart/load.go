package chart

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/pattern"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
)

// OpenOptions say what a chart may hold. The zero value is Pintle's default.
type OpenOptions struct {
	Limits Limits
	// LinkRoots are folders outside a chart's folder into which links in it may
	// lead: what is there counts as part of the chart. They do not serve archives.
	LinkRoots []string
	// Find turns a reference into the path of a folder or an archive, and may
	// fetch what is not on the disk; nil means that only paths are known. What it
	// reports is shown to the user as it is.
	Find func(ctx context.Context, ref string) (path string, err error)
	// Update fetches into a chart's folder the dependencies that charts/ lacks;
	// nil means that a chart that lacks some is an error.
	Update func(ctx context.Context, folder string) error
}

// Load finds, reads and checks a chart that is to be rendered: OpenOptions.Find,
// Open, CheckInstallable.
func Load(ctx context.Context, ref string, opts OpenOptions) (*Chart, error) {
	c, path, err := read(ctx, ref, opts)
	if err != nil {
		return nil, err
	}
	if opts.Update != nil && isFolder(path) && len(missingDependencies(c.helm)) > 0 {
		if err := opts.Update(ctx, path); err != nil {
			return nil, err
		}
		if c, err = Open(path, opts); err != nil {
			return nil, err
		}
	}
	if err := c.CheckInstallable(); err != nil {
		return nil, err
	}
	return c, nil
}

// Read finds and reads a chart, whatever its type: OpenOptions.Find, Open.
func Read(ctx context.Context, ref string, opts OpenOptions) (*Chart, error) {
	c, _, err := read(ctx, ref, opts)
	return c, err
}

func read(ctx context.Context, ref string, opts OpenOptions) (c *Chart, path string, err error) {
	find := opts.Find
	if find == nil {
		find = onDisk
	}
	if path, err = find(ctx, ref); err != nil {
		return nil, "", err
	}
	if c, err = Open(path, opts); err != nil {
		return nil, "", renamed(err, path, ref)
	}
	return c, path, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// onDisk takes a reference for a path.
func onDisk(_ context.Context, ref string) (string, error) {
	path, err := filepath.Abs(ref)
	if err != nil {
		path = ref
	}
	if _, err = os.Stat(ref); errors.Is(err, fs.ErrNotExist) {
		return "", diag.Problem{Summary: fmt.Sprintf("no chart %q", ref), Detail: "there is no folder and no archive at " + path}
	}
	return ref, nil // what else is wrong shows when it is read
}

// renamed calls a chart by the name that the user has for it where problems
// name the file that it was fetched into.
func renamed(err error, path, ref string) error {
	found := diag.Problems(err)
	if path == ref || found == nil {
		return err
	}
	found = slices.Clone(found)
	for i, p := range found {
		found[i].Summary = strings.ReplaceAll(p.Summary, path, ref)
		found[i].Detail = strings.ReplaceAll(p.Detail, path, ref)
		found[i].File = strings.ReplaceAll(p.File, path, ref)
	}
	return found
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
			Detail:  "fetch what Chart.yaml asks for with `pintle dependency build`, or add --dependency-update",
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
	loadedFile = pattern.Lazy(`cannot load (\S+\.(?:yaml|lock)): (?s:(.*))`)
	subchart   = pattern.Lazy(`error unpacking subchart (\S+) in \S+: `)
)

// loadProblem makes a problem of what Helm's loader reports. The file is the
// chart's path joined with that of the broken file.
func loadProblem(path string, err error) error {
	text := err.Error()
	folder := path
	for _, m := range subchart().FindAllStringSubmatch(text, -1) {
		folder = filepath.Join(folder, "charts", m[1])
	}
	text = subchart().ReplaceAllString(text, "")
	switch m := loadedFile().FindStringSubmatch(text); {
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
