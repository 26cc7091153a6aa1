package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTemplateIsHelms renders public charts with our binary and with Helm's,
// and compares the bytes. The charts are those of $PINTLE_CHARTS, else of a
// folder beside the repository.
func TestTemplateIsHelms(t *testing.T) {
	t.Parallel()
	bin := findPrograms(t)
	charts := publicCharts(t)
	variants := []struct {
		name  string
		flags []string
	}{
		{"install", nil},
		{"upgrade", []string{"--is-upgrade"}},
		{"install-with-apis", []string{"--api-versions", "monitoring.coreos.com/v1,monitoring.coreos.com/v1/ServiceMonitor,policy/v1beta1"}},
		{"upgrade-with-apis", []string{"--is-upgrade", "--api-versions", "monitoring.coreos.com/v1,monitoring.coreos.com/v1/PodMonitor,cert-manager.io/v1"}},
	}
	for _, variant := range variants {
		for _, chart := range charts {
			t.Run(variant.name+"/"+strings.TrimSuffix(filepath.Base(chart), ".tgz"), func(t *testing.T) {
				t.Parallel()
				args := append([]string{"template", "r", chart, "--include-crds"}, variant.flags...)
				compareTemplates(t, bin, args)
			})
		}
	}
}

func publicCharts(t *testing.T) []string {
	t.Helper()
	folder := os.Getenv("PINTLE_CHARTS")
	if folder == "" {
		folder = "../../shared/charts"
	}
	charts, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(charts) == 0 {
		t.Skipf("%s holds no chart archives: set PINTLE_CHARTS to a folder of them", folder)
	}
	return charts
}

func compareTemplates(t *testing.T, bin string, args []string) {
	want, wantErr := render(t, filepath.Join(bin, "helm"), args)
	got, gotErr := render(t, filepath.Join(bin, "pintle"), args)
	switch {
	case wantErr != nil && gotErr != nil:
		return
	case wantErr != nil || gotErr != nil:
		t.Fatalf("Helm: %v, Pintle: %v", wantErr, gotErr)
	case got == want:
		return
	}
	// Charts that make keys and passwords differ from run to run: then what
	// Helm itself renders differently does not count.
	again, err := render(t, filepath.Join(bin, "helm"), args)
	if err != nil {
		t.Fatal(err)
	}
	wantLines, againLines, gotLines := strings.Split(want, "\n"), strings.Split(again, "\n"), strings.Split(got, "\n")
	if again == want || len(wantLines) != len(againLines) || len(wantLines) != len(gotLines) {
		t.Fatalf("not what Helm renders (-Helm +Pintle):\n%s", cmp.Diff(wantLines, gotLines))
	}
	for i := range wantLines {
		if wantLines[i] == againLines[i] && wantLines[i] != gotLines[i] {
			t.Errorf("line %d: Helm has %q, Pintle %q", i+1, wantLines[i], gotLines[i])
		}
	}
}

// render runs a tool where it finds neither a cluster nor settings of the user.
func render(t *testing.T, program string, args []string) (string, error) {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "KUBECONFIG=" + filepath.Join(home, "none")}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Logf("%s: %s", filepath.Base(program), stderr.String())
		return "", err
	}
	return stdout.String(), nil
}
