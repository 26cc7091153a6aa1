package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

// IndexOptions say what goes into an index.
type IndexOptions struct {
	// URL is what the charts' URLs begin with; without it they are relative.
	URL string
	// Merge is an index whose entries are kept unless the folder has them. It is
	// made if it does not exist, as Helm does.
	Merge string
	// JSON writes JSON, which is YAML too.
	JSON bool
}

// IndexFolder writes index.yaml into a folder, for the archives in it and in
// the folders in it. Archives that are no charts are left out.
func IndexFolder(dir string, o IndexOptions) error {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return diag.Problem{Summary: fmt.Sprintf("there is no folder %s", dir)}
	}
	index := &Index{APIVersion: helmchart.APIVersionV1, Generated: time.Now(), Entries: map[string][]*IndexedChart{}}
	for _, pattern := range []string{"*.tgz", "*/*.tgz"} {
		archives, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("looking for charts in %s: %w", dir, err)
		}
		for _, archive := range archives {
			if err := index.add(dir, archive, o.URL); err != nil {
				return err
			}
		}
	}
	if o.Merge != "" {
		if err := index.merge(o.Merge, o.JSON); err != nil {
			return err
		}
	}
	index.Sort()
	return index.write(filepath.Join(dir, "index.yaml"), o.JSON)
}

func (i *Index) add(dir, archive, base string) error {
	loaded, _ := loader.LoadFile(archive) // whatever keeps it from being read, it is no chart
	if loaded == nil {
		return nil
	}
	m := loaded.Metadata
	if m.APIVersion == "" {
		m.APIVersion = helmchart.APIVersionV1
	}
	if err := m.Validate(); err != nil {
		return diag.Problem{Summary: fmt.Sprintf("the chart in %s is not valid", archive), Detail: err.Error()}
	}
	data, err := os.ReadFile(archive)
	if err != nil {
		return fmt.Errorf("indexing %s: %w", archive, err)
	}
	relative, err := filepath.Rel(dir, archive)
	if err != nil {
		return fmt.Errorf("indexing %s: %w", archive, err)
	}
	i.Entries[m.Name] = append(i.Entries[m.Name], &IndexedChart{
		Metadata: m, URLs: []string{below(base, filepath.ToSlash(relative))}, Created: time.Now(), Digest: digestOf(data),
	})
	return nil
}

// below is a path below a base, which is a URL, a path or empty.
func below(base, relative string) string {
	if base == "" {
		return relative
	}
	u, err := url.Parse(base)
	if err != nil {
		return path.Join(base, relative)
	}
	u.Path = path.Join(u.Path, relative)
	return u.String()
}

// merge adds what another index has and this one does not.
func (i *Index) merge(file string, asJSON bool) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		empty := &Index{APIVersion: helmchart.APIVersionV1, Generated: time.Now(), Entries: map[string][]*IndexedChart{}}
		return empty.write(file, asJSON)
	}
	if err != nil {
		return diag.Problem{Summary: fmt.Sprintf("the index %s cannot be read", file), Detail: err.Error()}
	}
	other, err := parseIndex(data, file)
	if err != nil {
		return err
	}
	for name, versions := range other.Entries {
		for _, v := range versions {
			if !slices.ContainsFunc(i.Entries[name], func(o *IndexedChart) bool { return o.Version == v.Version }) {
				i.Entries[name] = append(i.Entries[name], v)
			}
		}
	}
	return nil
}

func (i *Index) write(file string, asJSON bool) error {
	data, err := yaml.Marshal(i)
	if asJSON {
		data, err = json.MarshalIndent(i, "", "  ")
	}
	if err == nil {
		err = writeFile(file, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", strings.TrimPrefix(file, "./"), err)
	}
	return nil
}
