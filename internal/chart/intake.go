package chart

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// load checks what is at the path, a folder or an archive, and has Helm make a
// chart of it.
func (in *intake) load(path string, linkRoots []string) (*helmchart.Chart, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if err := in.folder(path, linkRoots); err != nil {
			return nil, err
		}
		return in.helm(func() (*helmchart.Chart, error) { return loader.LoadDir(path) })
	}
	packed, err := in.packed(path, info)
	if err != nil {
		return nil, err
	}
	files, err := in.archive(path, packed, 1)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("no files in chart archive")
	}
	return in.helm(func() (*helmchart.Chart, error) { return loader.LoadFiles(files) })
}

// CheckArchive looks into a packed chart as Open does, without loading it. What
// no chart may hold, or more than the limits allow, is a diag.Problem.
func CheckArchive(name string, archive []byte, limits Limits) error {
	in := &intake{limits: limits}
	if n := int64(len(archive)); n > limits.Of(LimitArchiveSize) {
		return limits.exceeded(LimitArchiveSize, "", fmt.Sprintf("the archive %s is %s long", printable(name), size(n)))
	}
	_, err := in.archive(name, archive, 1)
	return err
}

// packed reads an archive as it is stored, so that what is loaded is what was
// checked.
func (in *intake) packed(path string, info os.FileInfo) ([]byte, error) {
	limit := in.limits.Of(LimitArchiveSize)
	switch {
	case !info.Mode().IsRegular():
		return nil, diag.Problem{Summary: fmt.Sprintf("%q is neither a chart's folder nor an archive", path)}
	case info.Size() > limit:
		return nil, in.limits.exceeded(LimitArchiveSize, "", fmt.Sprintf("the archive %s is %s long", path, size(info.Size())))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if err := archive.EnsureArchive(path, f); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// loading guards Helm's limit, which is a variable of its package.
var loading sync.Mutex

// helm runs Helm's loader with a limit that is not below ours. It counts a
// chart that just fits as too big.
func (in *intake) helm(load func() (*helmchart.Chart, error)) (*helmchart.Chart, error) {
	loading.Lock()
	defer loading.Unlock()
	before := archive.MaxDecompressedChartSize
	defer func() { archive.MaxDecompressedChartSize = before }()
	archive.MaxDecompressedChartSize = max(before, in.limits.Of(LimitChartSize)+1)
	return load()
}
