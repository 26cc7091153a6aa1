package dependency

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

// Update fetches the newest versions that Chart.yaml allows, and writes
// Chart.lock if it changes.
func (m *Manager) Update(ctx context.Context) error {
	c, err := m.load()
	if err != nil || c.Metadata.Dependencies == nil {
		return err
	}
	requested := c.Metadata.Dependencies
	all, err := m.resolve(requested)
	if err != nil {
		return err
	}
	if err := m.refresh(ctx, all); err != nil {
		return err
	}
	locked, err := m.versions(ctx, all)
	if err != nil {
		return err
	}
	if err := m.fetchAll(ctx, locked); err != nil {
		return err
	}
	lock := &helmchart.Lock{Generated: time.Now(), Dependencies: dependencies(locked)}
	if lock.Digest, err = digest(requested, lock.Dependencies); err != nil {
		return err
	}
	if c.Lock != nil && c.Lock.Digest == lock.Digest {
		return nil
	}
	return m.writeLock(lock, c.Metadata.APIVersion == helmchart.APIVersionV1)
}

// Build fetches what Chart.lock says. Without a lock it is Update.
func (m *Manager) Build(ctx context.Context) error {
	c, err := m.load()
	if err != nil {
		return err
	}
	if c.Lock == nil {
		return m.Update(ctx)
	}
	requested := c.Metadata.Dependencies
	older, err := olderDigest(requested)
	if err != nil {
		return err
	}
	if _, err := m.resolve(requested); err != nil {
		return err
	}
	if err := inStep(c, requested, older); err != nil {
		return err
	}
	all, err := m.resolve(c.Lock.Dependencies)
	if err != nil {
		return err
	}
	if missing := unlisted(all); len(missing) > 0 {
		return diag.Problem{Summary: fmt.Sprintf("no repository definition for %s. Please add the missing repos via 'pintle repo add'", strings.Join(missing, ", "))}
	}
	if err := m.refresh(ctx, all); err != nil {
		return err
	}
	return m.fetchAll(ctx, all)
}

// inStep tells whether the lock was made for these dependencies.
func inStep(c *helmchart.Chart, requested []*helmchart.Dependency, older string) error {
	sum, err := digest(requested, c.Lock.Dependencies)
	if err == nil && sum == c.Lock.Digest {
		return nil
	}
	if c.Metadata.APIVersion != helmchart.APIVersionV1 {
		return diag.Problem{
			Summary: "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies",
			Detail:  "`pintle dependency update` does that",
		}
	}
	if older != c.Lock.Digest {
		return diag.Problem{
			Summary: "the lock file (requirements.lock) is out of sync with the dependencies file (requirements.yaml). Please update the dependencies",
			Detail:  "`pintle dependency update` does that",
		}
	}
	return nil
}

func unlisted(all []wanted) []string {
	var out []string
	for _, w := range all {
		if w.repository.Name != "" && !w.listed {
			out = append(out, w.Repository)
		}
	}
	return out
}

func dependencies(all []wanted) []*helmchart.Dependency {
	out := make([]*helmchart.Dependency, len(all))
	for i, w := range all {
		out[i] = w.Dependency
	}
	return out
}

// refresh fetches the indexes of the repositories that are needed. One that
// cannot be fetched is told, and the cached one is used, as in Helm.
func (m *Manager) refresh(ctx context.Context, all []wanted) error {
	if m.SkipRefresh {
		return nil
	}
	var listed, others []source.Repository
	for _, w := range all {
		switch {
		case w.repository.Name == "":
		case w.listed:
			listed = appendNew(listed, w.repository)
		default:
			others = appendNew(others, w.repository)
		}
	}
	if len(others) > 0 {
		fmt.Fprintln(m.Out, "Getting updates for unmanaged Helm repositories...")
		m.Client.UpdateAll(ctx, others, m.tell())
	}
	if len(listed) > 0 {
		fmt.Fprintln(m.Out, "Hang tight while we grab the latest from your chart repositories...")
		m.Client.UpdateAll(ctx, listed, m.tell())
		fmt.Fprintln(m.Out, "Update Complete. ⎈Happy Helming!⎈")
	}
	return context.Cause(ctx)
}

func appendNew(all []source.Repository, r source.Repository) []source.Repository {
	if slices.ContainsFunc(all, func(o source.Repository) bool { return o.Name == r.Name }) {
		return all
	}
	return append(all, r)
}

func (m *Manager) tell() func(source.Repository, error) {
	var one sync.Mutex
	if m.failed == nil {
		m.failed = map[string]error{}
	}
	return func(r source.Repository, err error) {
		one.Lock()
		defer one.Unlock()
		m.failed[r.Name] = err
		name, at := r.Name, fmt.Sprintf(" (%s)", source.Mask(r.URL))
		if strings.HasPrefix(name, "helm-manager-") {
			name, at = source.Mask(r.URL), ""
		}
		if err != nil {
			fmt.Fprintf(m.Out, "...Unable to get an update from the %q chart repository%s:\n\t%s\n", name, at, strings.ReplaceAll(err.Error(), "\n", "\n\t"))
			return
		}
		fmt.Fprintf(m.Out, "...Successfully got an update from the %q chart repository\n", name)
	}
}

// versions settles on a version of each dependency. What does not fit is
// collected.
func (m *Manager) versions(ctx context.Context, all []wanted) ([]wanted, error) {
	var problems diag.List
	locked := make([]wanted, len(all))
	for i, w := range all {
		version, err := m.version(ctx, w)
		if err != nil {
			found := diag.Problems(err)
			if found == nil {
				return nil, err
			}
			for _, p := range found {
				p.Summary = fmt.Sprintf("dependency %s %s: %s", w.Name, w.Version, p.Summary)
				p.File = filepath.Join(m.Folder, "Chart.yaml")
				problems.Add(p)
			}
			continue
		}
		locked[i] = w
		locked[i].Dependency = &helmchart.Dependency{Name: w.Name, Repository: w.Repository, Version: version}
	}
	return locked, problems.Err()
}

func (m *Manager) version(ctx context.Context, w wanted) (string, error) {
	within, err := semver.NewConstraint(w.Version)
	if err != nil {
		return "", diag.Problem{Summary: fmt.Sprintf("%q is neither a version nor a range of versions", w.Version), Detail: err.Error()}
	}
	switch {
	case w.local():
		_, err := m.path(filepath.Join("charts", w.Name))
		return w.Version, err
	case w.folder():
		return m.versionOf(w, within)
	case w.oci():
		return m.Client.NewestTag(ctx, strings.TrimSuffix(w.Repository, "/")+"/"+w.Name, w.Version, m.Access)
	}
	version, err := m.Client.Newest(w.repository, w.Name, w.Version)
	if cause := m.failed[w.repository.Name]; err != nil && cause != nil {
		return "", cause
	}
	return version, err
}

// versionOf is the version of a chart in a folder, which must be within range.
func (m *Manager) versionOf(w wanted, within *semver.Constraints) (string, error) {
	at, err := m.path(w.Repository)
	if err != nil {
		return "", err
	}
	c, err := loader.LoadDir(at)
	if err != nil {
		return "", diag.Problem{Summary: fmt.Sprintf("chart %q cannot be read", at), Detail: err.Error()}
	}
	v, err := semver.NewVersion(c.Metadata.Version)
	if err != nil || !within.Check(v) {
		return "", diag.Problem{Summary: fmt.Sprintf("the chart in %s is of version %s", at, c.Metadata.Version)}
	}
	return c.Metadata.Version, nil
}

// writeLock writes Chart.lock. A link in its place may lead anywhere, and is
// refused.
func (m *Manager) writeLock(lock *helmchart.Lock, older bool) error {
	name := "Chart.lock"
	if older {
		name = "requirements.lock"
	}
	path := filepath.Join(m.Folder, name)
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return diag.Problem{Summary: fmt.Sprintf("%s is a link, and is not written through", path)}
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	data, err := yaml.Marshal(lock)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
