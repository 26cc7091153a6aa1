// Package dependency keeps the folder charts/ of a chart in step with the
// dependencies that its Chart.yaml names: it lists what is there, finds the
// versions that fit, fetches them, and keeps them in Chart.lock, in the form
// that Helm reads and writes.
//
// Only charts that are folders can be changed. charts/ is changed when
// everything was fetched, not before.
package dependency

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// Verification says what becomes of signatures.
type Verification int

// The ways to verify.
const (
	// Never checks nothing.
	Never Verification = iota
	// IfPossible checks charts that are signed, and warns of others.
	IfPossible
	// Always refuses charts that are not signed.
	Always
)

// Manager changes the charts/ of one chart.
type Manager struct {
	Client *source.Client
	// Folder is the chart's.
	Folder string
	// Out is told what is done, in Helm's words.
	Out io.Writer
	// SkipRefresh uses the cached indexes as they are.
	SkipRefresh bool
	Verify      Verification
	Keyring     string
	// Access is for registries; what it says of TLS is for repositories too
	// that are in no list.
	Access source.Access
	// Epoch is the time of files in archives that are made here; nil for their own.
	Epoch *time.Time

	// failed are the repositories whose index could not be fetched, and why.
	failed map[string]error
}

// wanted is a dependency and where it comes from.
type wanted struct {
	*helmchart.Dependency
	// repository is set when it comes from a chart repository; listed tells
	// whether that is in repositories.yaml.
	repository source.Repository
	listed     bool
}

func (w wanted) local() bool { return w.Repository == "" }

func (w wanted) folder() bool { return strings.HasPrefix(w.Repository, "file://") }

func (w wanted) oci() bool { return source.IsOCI(w.Repository) }

// load reads the chart.
func (m *Manager) load() (*helmchart.Chart, error) {
	info, err := os.Stat(m.Folder)
	switch {
	case err != nil:
		return nil, diag.Problem{Summary: fmt.Sprintf("could not find %s", m.Folder), Detail: err.Error()}
	case !info.IsDir():
		return nil, diag.Problem{Summary: "only unpacked charts can be updated", Detail: m.Folder + " is not a folder"}
	}
	c, err := loader.LoadDir(m.Folder)
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("chart %q cannot be read", m.Folder), Detail: err.Error()}
	}
	return c, nil
}

// resolve finds out where each dependency comes from. Names of repositories
// (@name) are replaced by their URLs: the digest of the lock counts on that.
func (m *Manager) resolve(deps []*helmchart.Dependency) ([]wanted, error) {
	listed, err := m.Client.Repositories()
	if err != nil {
		return nil, err
	}
	var all []wanted
	var missing []string
	for _, d := range deps {
		w := wanted{Dependency: d}
		if w.folder() {
			if _, err := m.path(d.Repository); err != nil {
				return nil, err
			}
		}
		if !w.local() && !w.folder() && !w.oci() && !w.find(listed, m.Access) {
			missing = append(missing, d.Repository)
		}
		all = append(all, w)
	}
	if len(missing) > 0 {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("no repository definition for %s. Please add them via 'pintle repo add'", strings.Join(missing, ", ")),
			Detail:  "a repository of Chart.yaml is a URL, or @NAME for one of the list (`pintle repo list`)",
		}
	}
	return all, nil
}

// find looks for the repository: by its name in the list, by its URL, or, if
// it is none of those, as a URL.
func (w *wanted) find(listed []source.Repository, a source.Access) bool {
	name, byName := strings.CutPrefix(w.Repository, "@")
	if !byName {
		name, byName = strings.CutPrefix(w.Repository, "alias:")
	}
	for _, r := range listed {
		if byName && r.Name == name || !byName && source.SameURL(r.URL, w.Repository) {
			if byName {
				w.Repository = r.URL
			}
			w.repository, w.listed = r, true
			return true
		}
	}
	if u, err := url.ParseRequestURI(w.Repository); byName || err != nil || u.Scheme == "" {
		return false
	}
	w.repository = source.Unlisted(w.Repository, a)
	return true
}

// path is that of a dependency in a folder beside the chart.
func (m *Manager) path(repository string) (string, error) {
	p := strings.TrimPrefix(repository, "file://")
	if !filepath.IsAbs(p) {
		p = filepath.Join(m.Folder, p)
	}
	if _, err := os.Stat(p); errors.Is(err, fs.ErrNotExist) {
		return "", diag.Problem{Summary: fmt.Sprintf("directory %s not found", p), File: filepath.Join(m.Folder, "Chart.yaml")}
	} else if err != nil {
		return "", diag.Problem{Summary: p + " cannot be read", Detail: err.Error()}
	}
	return p, nil
}

// digest is what Chart.lock knows the dependencies by.
func digest(requested, locked []*helmchart.Dependency) (string, error) {
	return hash([2][]*helmchart.Dependency{requested, locked})
}

// olderDigest is the one of Helm 2, which charts of apiVersion v1 may have.
func olderDigest(requested []*helmchart.Dependency) (string, error) {
	return hash(map[string][]*helmchart.Dependency{"dependencies": requested})
}

func hash(value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("counting the digest of the dependencies: %w", err)
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
