package chart

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/release/v1/util"
)

// kubeVersion is given to both sides: inside a test, Helm's packages take a
// version of their own for the default.
const kubeVersion = "v1.37.0"

// publicCharts lists real charts: those in $PINTLE_CHARTS, else in a folder
// beside the repository.
func publicCharts(t testing.TB) []string {
	t.Helper()
	folder := os.Getenv("PINTLE_CHARTS")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "charts")
	}
	var charts []string
	for _, pattern := range []string{"*.tgz", "*/Chart.yaml"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			charts = append(charts, strings.TrimSuffix(path, "/Chart.yaml"))
		}
	}
	if len(charts) == 0 {
		t.Skipf("no charts in %s: set PINTLE_CHARTS to a folder of charts", folder)
	}
	return charts
}

// helmBinary finds Helm 4.3.1: $PINTLE_HELM, else bin/helm of the repository.
// Comparing with it takes minutes on a small machine, so -short leaves it out.
func helmBinary(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("not compared with Helm: -short")
	}
	helm := os.Getenv("PINTLE_HELM")
	if helm == "" {
		helm = filepath.Join("..", "..", "bin", "helm")
	}
	if _, err := os.Stat(helm); err != nil {
		t.Skipf("no Helm binary: set PINTLE_HELM (%v)", err)
	}
	return helm
}

// TestTemplateEqualsHelm renders every public chart in both tools.
func TestTemplateEqualsHelm(t *testing.T) {
	helm, charts := helmBinary(t), publicCharts(t)
	variants := []struct {
		name  string
		every int // takes each chart of so many
		flags []string
	}{
		{"install", 1, []string{"--include-crds"}},
		{"upgrade", 1, []string{"--include-crds", "--is-upgrade"}},
		{"apis", 1, []string{"--include-crds", "--api-versions", "monitoring.coreos.com/v1,monitoring.coreos.com/v1/ServiceMonitor"}},
		{"nohooks", 4, []string{"--no-hooks"}},
		{"notests", 4, []string{"--skip-tests"}},
		{"only", 4, []string{"--show-only", "templates/*"}},
	}
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			flags := variant.flags
			for i, path := range charts {
				if i%variant.every != 0 {
					continue
				}
				t.Run(strings.TrimSuffix(filepath.Base(path), ".tgz"), func(t *testing.T) {
					t.Parallel()
					want, wantErr := helmTemplate(helm, path, flags)
					got, err := ourTemplate(t, path, flags)
					if (err != nil) != (wantErr != nil) {
						t.Fatalf("Helm says %v, we say %v\n%s", wantErr, err, want)
					}
					if err == nil && got != want {
						compare(t, helm, path, flags, want, got)
					}
				})
			}
		})
	}
}

// compare reports a difference, unless Helm differs from itself: charts that
// make keys or passwords do, and then only in values, not in structure.
func compare(t *testing.T, helm, path string, flags []string, want, got string) {
	t.Helper()
	again, err := helmTemplate(helm, path, flags)
	if err != nil {
		t.Fatal(err)
	}
	random := map[int]bool{}
	wantLines, againLines, gotLines := strings.Split(want, "\n"), strings.Split(again, "\n"), strings.Split(got, "\n")
	if want == again || len(wantLines) != len(gotLines) || len(wantLines) != len(againLines) {
		t.Fatalf("differs from Helm (-helm +ours):\n%s", cmp.Diff(wantLines, gotLines))
	}
	for i := range wantLines {
		random[i] = wantLines[i] != againLines[i]
		if !random[i] && wantLines[i] != gotLines[i] {
			t.Errorf("line %d: Helm has %q, we have %q", i+1, wantLines[i], gotLines[i])
		}
	}
}

func helmTemplate(helm, path string, flags []string) (string, error) {
	args := append([]string{"template", "r", path, "--kube-version", kubeVersion}, flags...)
	cmd := exec.Command(helm, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG=/dev/null")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		return errs.String(), err
	}
	return out.String(), nil
}

func ourTemplate(t *testing.T, path string, flags []string) (string, error) {
	t.Helper()
	var opts PrintOptions
	release := ReleaseOptions{Name: "r", Namespace: "default", Revision: 1}
	var apis []string
	for i, flag := range flags {
		switch flag {
		case "--include-crds":
			opts.IncludeCRDs = true
		case "--no-hooks":
			opts.NoHooks = true
		case "--skip-tests":
			opts.SkipTests = true
		case "--is-upgrade":
			release.Upgrade = true
		case "--show-only":
			opts.ShowOnly = []string{flags[i+1]}
		case "--api-versions":
			apis = strings.Split(flags[i+1], ",")
		}
	}
	caps, err := OfflineCapabilities(kubeVersion, apis...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(t.Context(), path, OpenOptions{})
	if err != nil {
		return "", err
	}
	rendered, err := Render(t.Context(), c, RenderOptions{Release: release, Capabilities: caps})
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := Print(&out, rendered, opts); err != nil {
		return "", err
	}
	return out.String(), nil
}

// TestSortOutEqualsHelm compares our splitting and sorting with Helm's on
// what all public charts render.
func TestSortOutEqualsHelm(t *testing.T) {
	for _, path := range publicCharts(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			c, err := Load(t.Context(), path, OpenOptions{})
			if err != nil {
				t.Skip(err)
			}
			caps, err := OfflineCapabilities(kubeVersion)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Render(t.Context(), c, RenderOptions{Release: ReleaseOptions{Name: "r", Namespace: "default", Revision: 1}, Capabilities: caps})
			if err != nil {
				t.Skip(err)
			}
			files := map[string]string{}
			for _, d := range r.Raw {
				files[d.Source] += "---\n" + d.Text
			}
			hooks, generic, err := util.SortManifests(files, nil, util.InstallOrder)
			if err != nil {
				t.Fatal(err)
			}
			if len(hooks) != len(r.Hooks) || len(generic) != len(r.Documents) {
				t.Fatalf("Helm finds %d hooks and %d others, we %d and %d", len(hooks), len(generic), len(r.Hooks), len(r.Documents))
			}
			for i, h := range hooks {
				if h.Path != r.Hooks[i].Source || h.Manifest != r.Hooks[i].Text {
					t.Errorf("hook %d: Helm has %s, we have %s", i, h.Path, r.Hooks[i].Source)
				}
			}
			for i, m := range generic {
				if m.Name != r.Documents[i].Source || m.Content != r.Documents[i].Text {
					t.Errorf("document %d: Helm has %s, we have %s", i, m.Name, r.Documents[i].Source)
				}
			}
		})
	}
}
