package chart

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pintle-dev/pintle/internal/diag"
)

// WriteFiles writes a rendered chart into a folder, as `helm template
// --output-dir` does: what a template gave goes into a file of the template's
// path. It returns the path of each document that was written, in order; files
// of an earlier run are overwritten. ShowOnly has no meaning here.
func WriteFiles(dir string, r *Rendered, opts PrintOptions) ([]string, error) {
	w := fileWriter{dir: dir, begun: map[string]bool{}}
	if opts.IncludeCRDs {
		for _, crd := range r.CRDs {
			w.write(crd.Source, string(crd.Data))
		}
	}
	for _, d := range r.Documents {
		w.write(d.Source, d.Text)
	}
	for _, h := range r.Hooks {
		if !opts.NoHooks && !(opts.SkipTests && h.isTest()) {
			w.write(h.Source, h.Text)
		}
	}
	return w.written, w.err
}

// fileWriter appends documents to files. After an error it does nothing.
type fileWriter struct {
	dir     string
	begun   map[string]bool
	written []string
	err     error
}

func (w *fileWriter) write(source, text string) {
	if w.err != nil {
		return
	}
	if !filepath.IsLocal(filepath.FromSlash(source)) {
		w.err = diag.Problem{Summary: fmt.Sprintf("the template %q would be written outside the folder", source)}
		return
	}
	path := filepath.Join(w.dir, filepath.FromSlash(source))
	if err := w.append(path, source, text); err != nil {
		w.err = fmt.Errorf("writing what the chart rendered: %w", err)
		return
	}
	w.begun[path] = true
	w.written = append(w.written, path)
}

func (w *fileWriter) append(path, source, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if w.begun[path] {
		mode = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(path, mode, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "---\n# Source: %s\n%s\n", source, text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
