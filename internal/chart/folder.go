package chart

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/ignore"
)

// folder checks a chart's folder: what .helmignore leaves out does not count.
// Links may lead anywhere within the chart and into the roots; Helm's loader
// follows them all, so that a chart could put any file that its user can read
// into what it renders.
type folder struct {
	*intake
	path  string
	rules *ignore.Rules
	// roots are the real paths of folders into which links may lead, the
	// chart's own first.
	roots []string
}

// folder walks the chart's folder at the path. What cannot be read is left to
// the loader, which says so.
func (in *intake) folder(dir string, linkRoots []string) error {
	f := folder{intake: in, path: dir, rules: ignore.Empty()}
	for i, root := range append([]string{dir}, linkRoots...) {
		resolved, err := realPath(root)
		switch {
		case err != nil && i == 0:
			return nil
		case err != nil:
			return diag.Problem{Summary: fmt.Sprintf("--link-root %s: there is no such folder", root), Detail: err.Error()}
		}
		f.roots = append(f.roots, resolved)
	}
	if err := f.readRules(); err != nil {
		return err
	}
	f.rules.AddDefaults()
	return f.walk("", f.roots[:1])
}

// readRules reads .helmignore, which the loader does before anything else.
// What is wrong within it is left to the loader.
func (f *folder) readRules() error {
	file := filepath.Join(f.path, ignore.HelmIgnore)
	info, err := os.Stat(file)
	if err != nil {
		return nil //nolint:nilerr // there is none
	}
	resolved, err := realPath(file)
	if err != nil {
		return nil //nolint:nilerr // the loader says so
	}
	if link, err := os.Lstat(file); err == nil && link.Mode()&os.ModeSymlink != 0 {
		if err := f.link(ignore.HelmIgnore, resolved, info.IsDir()); err != nil {
			return err
		}
	}
	if !info.Mode().IsRegular() {
		return diag.Problem{Summary: fmt.Sprintf("%s is no file", printable(file))}
	}
	if n := info.Size(); n > f.limits.Of(LimitFileSize) {
		return f.limits.exceeded(LimitFileSize, "", fmt.Sprintf("%s is %s long", printable(file), size(n)))
	}
	if rules, err := ignore.ParseFile(file); err == nil {
		f.rules = rules
	}
	return nil
}

func realPath(file string) (string, error) {
	resolved, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	return filepath.Abs(resolved)
}

// walk checks what is in a folder of the chart. Above are the real paths of the
// folders that lead there, itself included.
func (f *folder) walk(inner string, above []string) error {
	entries, err := os.ReadDir(filepath.Join(f.path, filepath.FromSlash(inner)))
	if err != nil {
		return nil //nolint:nilerr // the loader says so
	}
	for _, e := range entries {
		if err := f.entry(path.Join(inner, e.Name()), above); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) entry(inner string, above []string) error {
	file := filepath.Join(f.path, filepath.FromSlash(inner))
	info, err := os.Stat(file)
	if err != nil {
		return f.unreachable(inner, file, err)
	}
	if f.rules.Ignore(inner, info) {
		return nil
	}
	resolved := filepath.Join(above[len(above)-1], filepath.Base(file))
	if link, err := os.Lstat(file); err == nil && link.Mode()&os.ModeSymlink != 0 {
		if resolved, err = realPath(file); err != nil {
			return f.unreachable(inner, file, err)
		}
		if err := f.link(inner, resolved, info.IsDir()); err != nil {
			return err
		}
	}
	if info.IsDir() {
		if slices.Contains(above, resolved) {
			return diag.Problem{Summary: fmt.Sprintf("the link %s leads back to a folder that holds it", printable(inner)), Detail: "its content has no end", File: file}
		}
		if err := f.count(f.path, inner, 0); err != nil {
			return err
		}
		return f.walk(inner, append(slices.Clip(above), resolved))
	}
	return f.file(inner, file, info)
}

// unreachable is for what cannot be looked at. A link that leads in a circle
// has a name of its own for that.
func (f *folder) unreachable(inner, file string, err error) error {
	link, failed := os.Lstat(file)
	if failed != nil || link.Mode()&os.ModeSymlink == 0 || f.rules.Ignore(inner, link) {
		return nil //nolint:nilerr // the loader says so
	}
	target, _ := os.Readlink(file)
	detail := "there is nothing at " + printable(target)
	if !errors.Is(err, os.ErrNotExist) {
		detail = err.Error()
	}
	return diag.Problem{Summary: fmt.Sprintf("the link %s of the chart leads nowhere", printable(inner)), Detail: detail, File: file}
}

func (f *folder) file(inner, file string, info os.FileInfo) error {
	if err := checkPath("the folder "+printable(f.path), "chart/"+inner); err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return diag.Problem{Summary: fmt.Sprintf("%s is neither a file nor a folder", printable(file)), Detail: "charts hold files only; .helmignore leaves others out"}
	}
	if err := f.count(f.path, inner, info.Size()); err != nil {
		return err
	}
	if !isSubchart(inner) {
		return nil
	}
	packed, err := os.ReadFile(file)
	if err != nil {
		return nil //nolint:nilerr // the loader says so
	}
	_, err = f.archive(file, packed, 1)
	return err
}

// link refuses a link whose end is in none of the roots.
func (f *folder) link(inner, resolved string, isFolder bool) error {
	for _, root := range f.roots {
		if resolved == root || strings.HasPrefix(resolved, strings.TrimSuffix(root, string(filepath.Separator))+string(filepath.Separator)) {
			return nil
		}
	}
	allow := resolved
	if !isFolder {
		allow = filepath.Dir(resolved)
	}
	return diag.Problem{
		Summary: fmt.Sprintf("%s is a link out of the chart, to %s", printable(inner), printable(resolved)),
		Detail: fmt.Sprintf("no template may read what is not part of the chart; if what is there belongs to it, allow it with --link-root %s, or in $PINTLE_LINK_ROOTS",
			printable(allow)),
		File: filepath.Join(f.path, filepath.FromSlash(inner)),
	}
}
