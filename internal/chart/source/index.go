package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/helmpath"
	"sigs.k8s.io/yaml"
)

// Index is the index.yaml of a chart repository.
type Index struct {
	ServerInfo  map[string]any             `json:"serverInfo,omitempty"`
	APIVersion  string                     `json:"apiVersion"`
	Generated   time.Time                  `json:"generated"`
	Entries     map[string][]*IndexedChart `json:"entries"`
	PublicKeys  []string                   `json:"publicKeys,omitempty"`
	Annotations map[string]string          `json:"annotations,omitempty"`
}

// IndexedChart is one version of a chart in an index.
type IndexedChart struct {
	*helmchart.Metadata
	URLs    []string  `json:"urls"`
	Created time.Time `json:"created"`
	Removed bool      `json:"removed,omitempty"`
	Digest  string    `json:"digest,omitempty"`
}

// parseIndex reads an index: JSON, which is much faster, or YAML. Entries that
// are no charts are left out. Versions come newest first. from names it in
// messages.
func parseIndex(data []byte, from string) (*Index, error) {
	index := &Index{}
	var err error
	if json.Valid(data) {
		err = json.Unmarshal(data, index)
	} else {
		err = yaml.Unmarshal(data, index)
	}
	notIndex := func(why string) error {
		return diag.Problem{Summary: "what " + from + " holds is not the index of a chart repository", Detail: why}
	}
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, notIndex("it is empty")
	case err != nil:
		return nil, notIndex(firstLine(err.Error()))
	case index.APIVersion == "":
		return nil, notIndex("it has no apiVersion")
	}
	for name, versions := range index.Entries {
		index.Entries[name] = slices.DeleteFunc(versions, func(v *IndexedChart) bool {
			if v == nil || v.Metadata == nil {
				return true
			}
			v.APIVersion = cmp.Or(v.APIVersion, helmchart.APIVersionV1)
			return unusable(v.Validate())
		})
	}
	index.Sort()
	return index, nil
}

// unusable tells entries that cannot be charts. Some servers drop the aliases
// of dependencies, which then look like the same one twice.
func unusable(err error) bool {
	return err != nil && !strings.Contains(err.Error(), "more than one dependency with name or alias")
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Sort brings the newest version of each chart to the front.
func (i *Index) Sort() {
	for _, versions := range i.Entries {
		parsed := make(map[*IndexedChart]*semver.Version, len(versions))
		for _, v := range versions {
			parsed[v], _ = semver.NewVersion(v.Version) // nil sorts last
		}
		slices.SortStableFunc(versions, func(a, b *IndexedChart) int {
			va, vb := parsed[a], parsed[b]
			switch {
			case va == nil && vb == nil:
				return 0
			case va == nil:
				return 1
			case vb == nil:
				return -1
			}
			return vb.Compare(va)
		})
	}
}

// errNoVersion is a chart that is there in other versions only.
var errNoVersion = errors.New("no such version")

// find picks the version of a chart: the one that is written just so, else the
// newest within the range. Without a version, it is the newest that is no
// pre-release.
func (i *Index) find(name, version string) (*IndexedChart, error) {
	versions := i.Entries[name]
	if len(versions) == 0 {
		return nil, fs.ErrNotExist
	}
	for _, v := range versions {
		if version != "" && v.Version == version {
			return v, nil
		}
	}
	within, err := semver.NewConstraint(cmp.Or(version, "*"))
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("--version %q is neither a version nor a range of versions", version), Detail: err.Error()}
	}
	for _, v := range versions {
		if parsed, err := semver.NewVersion(v.Version); err == nil && within.Check(parsed) {
			return v, nil
		}
	}
	return nil, errNoVersion
}

func (c *Client) indexPath(name string) string {
	return filepath.Join(c.RepositoryCache, helmpath.CacheIndexFile(name))
}

func (c *Client) chartsPath(name string) string {
	return filepath.Join(c.RepositoryCache, helmpath.CacheChartsFile(name))
}

// fetchIndex gets a repository's index.
func (c *Client) fetchIndex(ctx context.Context, r Repository) (*Index, []byte, error) {
	address, err := resolve(r.URL, "index.yaml")
	if err != nil {
		return nil, nil, err
	}
	data, err := c.get(ctx, fetching{url: address, home: r.URL, access: r.access(), limit: maxIndex, what: "the index"})
	if err != nil {
		return nil, nil, err
	}
	index, err := parseIndex(data, Mask(address))
	return index, data, err
}

// UpdateRepository fetches a repository's index into the cache.
func (c *Client) UpdateRepository(ctx context.Context, r Repository) error {
	index, data, err := c.fetchIndex(ctx, r)
	if err != nil {
		return err
	}
	var charts strings.Builder
	for name := range index.Entries {
		charts.WriteString(name + "\n")
	}
	if err := writeFile(c.chartsPath(r.Name), []byte(charts.String()), 0o644); err != nil {
		return fmt.Errorf("keeping the index of %s: %w", r.Name, err)
	}
	if err := writeFile(c.indexPath(r.Name), data, 0o644); err != nil {
		return fmt.Errorf("keeping the index of %s: %w", r.Name, err)
	}
	return nil
}

// Index is the cached index of a repository.
func (c *Client) Index(name string) (*Index, error) {
	path := c.indexPath(name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("the index of the repository %s has not been fetched yet", name),
			Detail:  fmt.Sprintf("there is no %s: fetch it with `pintle repo update %s`", path, name),
		}
	}
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("the index of the repository %s cannot be read", name), Detail: err.Error()}
	}
	return parseIndex(data, path)
}

// ChartNames are the charts of a repository, as repository/chart, by the cached
// list; none when there is none.
func (c *Client) ChartNames(repo string) []string {
	data, err := os.ReadFile(c.chartsPath(repo))
	if err != nil {
		return nil
	}
	var names []string
	for name := range strings.FieldsSeq(string(data)) {
		names = append(names, repo+"/"+name)
	}
	return names
}

// Versions are those of a chart in the cached index, each with a tab and what
// to know of it; none when there is no index.
func (c *Client) Versions(repo, name string) []string {
	index, err := c.Index(repo)
	if err != nil {
		return nil
	}
	var versions []string
	for _, v := range index.Entries[name] {
		text := v.Version + "\t"
		if v.AppVersion != "" {
			text += "App: " + v.AppVersion + ", "
		}
		text += "Created: " + v.Created.Format("January 2, 2006")
		if v.Deprecated {
			text += " (deprecated)"
		}
		versions = append(versions, text)
	}
	return versions
}
