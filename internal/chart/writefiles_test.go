package chart

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFiles(t *testing.T) {
	dir := t.TempDir()
	r := &Rendered{
		CRDs:      []CRD{{Source: "web/crds/a.yaml", Data: []byte("kind: A\n")}},
		Documents: []Document{{Source: "web/templates/x.yaml", Text: "kind: One"}, {Source: "web/templates/x.yaml", Text: "kind: Two"}},
		Hooks:     []Document{{Source: "web/templates/job.yaml", Text: "kind: Job"}},
	}
	for range 2 { // what an earlier run wrote is overwritten
		written, err := WriteFiles(dir, r, PrintOptions{IncludeCRDs: true})
		if err != nil || len(written) != 4 {
			t.Fatalf("wrote %v, error %v", written, err)
		}
	}
	for name, want := range map[string]string{
		"crds/a.yaml":        "---\n# Source: web/crds/a.yaml\nkind: A\n\n",
		"templates/x.yaml":   "---\n# Source: web/templates/x.yaml\nkind: One\n---\n# Source: web/templates/x.yaml\nkind: Two\n",
		"templates/job.yaml": "---\n# Source: web/templates/job.yaml\nkind: Job\n",
	} {
		got, err := os.ReadFile(filepath.Join(dir, "web", name))
		if err != nil || string(got) != want {
			t.Errorf("%s holds %q, want %q (error %v)", name, got, want, err)
		}
	}
	if written, err := WriteFiles(dir, r, PrintOptions{NoHooks: true}); err != nil || len(written) != 2 {
		t.Errorf("without hooks and CRDs: wrote %v, error %v", written, err)
	}
	r.Documents[0].Source = "../outside.yaml"
	if _, err := WriteFiles(dir, r, PrintOptions{}); err == nil {
		t.Error("a template was written outside the folder")
	}
}
