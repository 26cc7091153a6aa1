package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// helmRelease is what `helm install --dry-run -o json` prints: the release as
// Helm stores it in a record, times apart.
type helmRelease struct {
	Chart    json.RawMessage `json:"chart"`
	Manifest string          `json:"manifest"`
	Info     struct {
		Notes string `json:"notes"`
	} `json:"info"`
	Hooks []struct {
		Path     string `json:"path"`
		Manifest string `json:"manifest"`
	} `json:"hooks"`
}

func helmInstall(t *testing.T, helm string, args ...string) helmRelease {
	t.Helper()
	cmd := exec.Command(helm, append([]string{"install", "r", "--namespace", "ns", "--dry-run=client", "-o", "json"}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG=/dev/null")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("Helm does not render it: %s", errs.String())
	}
	var release helmRelease
	if err := json.Unmarshal(out, &release); err != nil {
		t.Fatal(err)
	}
	return release
}

// asInstalled renders with what `helm install --dry-run=client` assumes.
func asInstalled(t *testing.T, c *Chart, opts RenderOptions) *Rendered {
	t.Helper()
	caps, err := OfflineCapabilities(kubeVersion)
	if err != nil {
		t.Fatal(err)
	}
	opts.Release = ReleaseOptions{Name: "r", Namespace: "ns", Revision: 1}
	opts.Capabilities = caps
	r, err := Render(t.Context(), c, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRecordEqualsHelm compares what goes into a release record, byte for
// byte, with what Helm would store.
func TestRecordEqualsHelm(t *testing.T) {
	helm := helmBinary(t)
	for _, path := range publicCharts(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			want, again := helmInstall(t, helm, path), helmInstall(t, helm, path)
			c, err := Load(t.Context(), path, OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r := asInstalled(t, c, RenderOptions{})
			encoded, err := r.Chart.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(encoded, want.Chart) {
				t.Errorf("chart differs: %s", cmp.Diff(string(want.Chart), string(encoded)))
			}
			if want.Manifest == again.Manifest && r.Manifest != want.Manifest {
				t.Errorf("manifest differs: %s", cmp.Diff(want.Manifest, r.Manifest))
			}
			if want.Info.Notes == again.Info.Notes && r.Notes != want.Info.Notes {
				t.Errorf("notes differ: %s", cmp.Diff(want.Info.Notes, r.Notes))
			}
			if len(r.Hooks) != len(want.Hooks) {
				t.Fatalf("%d hooks, Helm has %d", len(r.Hooks), len(want.Hooks))
			}
			for i, h := range want.Hooks {
				if h.Path != r.Hooks[i].Source || (h.Manifest == again.Hooks[i].Manifest && h.Manifest != r.Hooks[i].Text) {
					t.Errorf("hook %d differs: %s", i, cmp.Diff(h.Manifest, r.Hooks[i].Text))
				}
			}
		})
	}
}

// TestPostRenderEqualsHelm sends public charts through a post-renderer that
// returns what it was given, in both tools.
func TestPostRenderEqualsHelm(t *testing.T) {
	helm := helmBinary(t)
	if runtime.GOOS == "windows" {
		t.Skip("the plugin is cat")
	}
	plugins := unpack(t, `
-- same/plugin.yaml --
name: same
version: 1.0.0
type: postrenderer/v1
apiVersion: v1
runtime: subprocess
runtimeConfig:
  platformCommand:
  - command: cat
`)
	t.Setenv("HELM_PLUGINS", plugins)
	for _, path := range publicCharts(t)[:12] {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want, again := helmInstall(t, helm, path, "--post-renderer", "same"), helmInstall(t, helm, path, "--post-renderer", "same")
			c, err := Load(t.Context(), path, OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r := asInstalled(t, c, RenderOptions{PostRender: same})
			if want.Manifest == again.Manifest && r.Manifest != want.Manifest {
				t.Errorf("manifest differs: %s", cmp.Diff(want.Manifest, r.Manifest))
			}
			got := ""
			for _, d := range r.Hooks {
				got += fmt.Sprintf("# %s\n%s", d.Source, d.Text)
			}
			hooks := ""
			for _, h := range want.Hooks {
				hooks += fmt.Sprintf("# %s\n%s", h.Path, h.Manifest)
			}
			if want.Manifest == again.Manifest && got != hooks {
				t.Errorf("hooks differ: %s", cmp.Diff(hooks, got))
			}
		})
	}
}
