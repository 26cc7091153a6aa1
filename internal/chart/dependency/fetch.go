package dependency

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/chart/v2/util"
)

// fetchAll fetches dependencies into a folder beside charts/ and, when all are
// there, moves them over and removes the archives of older ones.
func (m *Manager) fetchAll(ctx context.Context, all []wanted) error {
	charts := filepath.Join(m.Folder, "charts")
	if info, err := os.Stat(charts); err == nil && !info.IsDir() {
		return diag.Problem{Summary: fmt.Sprintf("%q is not a directory", charts)}
	}
	fresh := filepath.Join(m.Folder, fmt.Sprintf("tmpcharts-%d", os.Getpid()))
	for _, dir := range []string{charts, fresh} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making %s: %w", dir, err)
		}
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	fmt.Fprintf(m.Out, "Saving %d charts\n", len(all))
	seen := map[string]bool{}
	for _, w := range all {
		key := w.Repository + "\n" + w.Name + "\n" + w.Version
		if seen[key] {
			fmt.Fprintf(m.Out, "Already downloaded %s from repo %s\n", w.Name, source.Mask(w.Repository))
			continue
		}
		seen[key] = !w.local()
		if err := m.fetch(ctx, w, fresh); err != nil {
			fmt.Fprintln(m.Out, "Save error occurred: ", err)
			return err
		}
	}
	return m.replace(all, fresh, charts)
}

// fetch puts one dependency into a folder.
func (m *Manager) fetch(ctx context.Context, w wanted, into string) error {
	switch {
	case w.local():
		fmt.Fprintf(m.Out, "Dependency %s did not declare a repository. Assuming it exists in the charts directory\n", w.Name)
		return m.checkLocal(w)
	case w.folder():
		return m.pack(w, into)
	}
	fmt.Fprintf(m.Out, "Downloading %s from repo %s\n", w.Name, source.Mask(w.Repository))
	a, err := m.get(ctx, w, m.Verify == Always)
	if err != nil {
		return err
	}
	if m.Verify == IfPossible {
		if signed, err := m.get(ctx, w, true); err == nil {
			a = signed
		} else {
			fmt.Fprintf(m.Out, "WARNING: Verification not found for %s: %s\n", w.Name, err)
		}
	}
	if len(a.Provenance) > 0 {
		if _, err := a.Verify(m.Keyring); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(into, a.Name+".prov"), a.Provenance, 0o644); err != nil {
			return fmt.Errorf("saving the signature of %s: %w", w.Name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(into, a.Name), a.Data, 0o644); err != nil {
		return fmt.Errorf("saving %s: %w", w.Name, err)
	}
	return nil
}

func (m *Manager) get(ctx context.Context, w wanted, signed bool) (source.Archive, error) {
	if w.oci() {
		ref := strings.TrimSuffix(w.Repository, "/") + "/" + w.Name
		return m.Client.Get(ctx, ref, source.Request{Version: w.Version, Access: m.Access}, signed)
	}
	return m.Client.GetFrom(ctx, w.repository, w.Name, w.Version, signed)
}

// checkLocal checks a dependency that must be in charts/ already.
func (m *Manager) checkLocal(w wanted) error {
	at := filepath.Join(m.Folder, "charts", w.Name)
	c, err := loader.LoadDir(at)
	if err != nil {
		return diag.Problem{Summary: fmt.Sprintf("unable to load chart %q", at), Detail: err.Error()}
	}
	within, err := semver.NewConstraint(w.Version)
	if err != nil {
		return diag.Problem{Summary: fmt.Sprintf("dependency %s has an invalid version/constraint format", w.Name), Detail: err.Error()}
	}
	if v, err := semver.NewVersion(c.Metadata.Version); err != nil || !within.Check(v) {
		return diag.Problem{Summary: fmt.Sprintf("dependency %s at version %s does not satisfy the constraint %s", w.Name, c.Metadata.Version, w.Version)}
	}
	return nil
}

// pack makes an archive of a dependency that is a folder beside the chart.
func (m *Manager) pack(w wanted, into string) error {
	at, err := m.path(w.Repository)
	if err != nil {
		return err
	}
	c, err := loader.LoadDir(at)
	if err != nil {
		return diag.Problem{Summary: fmt.Sprintf("chart %q cannot be read", at), Detail: err.Error()}
	}
	if m.Epoch != nil {
		c.StampModTimes(*m.Epoch)
	}
	within, err := semver.NewConstraint(w.Version)
	if err != nil {
		return diag.Problem{Summary: fmt.Sprintf("dependency %s has an invalid version/constraint format", w.Name), Detail: err.Error()}
	}
	if v, err := semver.NewVersion(c.Metadata.Version); err != nil || !within.Check(v) {
		return diag.Problem{Summary: fmt.Sprintf("can't get a valid version for dependency %s", w.Name), Detail: fmt.Sprintf("the chart in %s is of version %s, not %s", at, c.Metadata.Version, w.Version)}
	}
	w.Dependency.Version = c.Metadata.Version
	if _, err := util.Save(c, into); err != nil {
		return fmt.Errorf("packing %s: %w", w.Name, err)
	}
	return nil
}

// replace moves what was fetched into charts/ and removes the archives there
// that it takes the place of.
func (m *Manager) replace(all []wanted, fresh, charts string) error {
	keep := map[string]bool{}
	for _, w := range all {
		if w.local() {
			keep[w.Name] = true
		}
	}
	old, err := os.ReadDir(charts)
	if err != nil {
		return fmt.Errorf("reading %s: %w", charts, err)
	}
	made, err := os.ReadDir(fresh)
	if err != nil {
		return fmt.Errorf("reading %s: %w", fresh, err)
	}
	current := map[string]bool{}
	for _, f := range made {
		current[f.Name()] = true
		if err := os.Rename(filepath.Join(fresh, f.Name()), filepath.Join(charts, f.Name())); err != nil {
			return fmt.Errorf("moving %s into charts/: %w", f.Name(), err)
		}
	}
	fmt.Fprintln(m.Out, "Deleting outdated charts")
	for _, f := range old {
		if f.IsDir() || current[f.Name()] {
			continue
		}
		path := filepath.Join(charts, f.Name())
		c, err := loader.LoadFile(path)
		if err != nil {
			fmt.Fprintf(m.Out, "Could not verify %s for deletion: %s (Skipping)\n", path, err)
			continue
		}
		if keep[c.Name()] {
			continue
		}
		if err := os.Remove(path); err != nil {
			fmt.Fprintf(m.Out, "Could not delete %s: %s (Skipping)", path, err)
		}
	}
	return nil
}
