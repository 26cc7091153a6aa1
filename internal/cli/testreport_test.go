package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/ui"
)

func TestAnnotationForm(t *testing.T) {
	env := func(set ...string) Env {
		return func(name string) (string, bool) {
			for _, s := range set {
				if key, value, _ := strings.Cut(s, "="); key == name {
					return value, true
				}
			}
			return "", false
		}
	}
	tests := []struct {
		flag string
		env  Env
		want ui.Annotations
	}{
		{"auto", env(), ui.AnnotateNone},
		{"auto", env("GITHUB_ACTIONS=true"), ui.AnnotateGitHub},
		{"auto", env("GITLAB_CI=true"), ui.AnnotateGitLab},
		{"none", env("GITHUB_ACTIONS=true"), ui.AnnotateNone},
		{"gitlab", env(), ui.AnnotateGitLab},
	}
	for _, tt := range tests {
		r := reportFlags{annotate: tt.flag}
		if got := r.form(tt.env); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.flag, got, tt.want)
		}
	}
}

func TestReportFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, "test", "web", "--report-dir", filepath.Join(file, "below"))
	if got.code != exitUsage || !strings.Contains(got.err, "making the folder") {
		t.Errorf("exit code %d, standard error:\n%s", got.code, got.err)
	}
}

func TestListOfTestsIsNoReport(t *testing.T) {
	got := run(t, "test", "web", "--list", "-o", "junit")
	if got.code != exitUsage || !strings.Contains(got.err, "--list") {
		t.Errorf("exit code %d, standard error:\n%s", got.code, got.err)
	}
}

func TestGateThatIsNotThere(t *testing.T) {
	for _, flag := range []string{"--test-parallel=2", "--test-filter=name=a", "--require-tests", "--test-report-dir=x", "--test-timeout=1m"} {
		got := run(t, "upgrade", "web", "chart", flag)
		if got.code != exitUsage || !strings.Contains(got.err, "need --test") {
			t.Errorf("%s: exit code %d, standard error:\n%s", flag, got.code, got.err)
		}
	}
}
