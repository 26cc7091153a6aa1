package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/spf13/cobra"
)

func TestIsDropIn(t *testing.T) {
	for _, tc := range []struct {
		program, variable string
		want              bool
	}{
		{"pintle", "", false},
		{"helm", "", true},
		{"/usr/local/bin/helm", "", true},
		{"helm.exe", "", true},
		{"./helmfile", "", false},
		{"helm-diff", "", false},
		{"pintle", "1", true},
		{"pintle", "true", true},
		{"helm", "0", false},
		{"helm", "false", false},
		{"helm", "perhaps", true},
	} {
		env := func(name string) (string, bool) { return tc.variable, name == dropInVariable && tc.variable != "" }
		if got := isDropIn(tc.program, env); got != tc.want {
			t.Errorf("%s with %q: %v", tc.program, tc.variable, got)
		}
	}
}

// asHelm runs a command line as the drop-in, without a cluster.
func asHelm(t *testing.T, args ...string) result {
	t.Helper()
	t.Setenv("KUBECONFIG", os.DevNull)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var out, errs bytes.Buffer
	a := newApp(Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, noCluster)
	a.asHelm, a.global.retryFor = true, time.Millisecond
	code := a.main(context.Background(), args)
	return result{code: code, out: out.String(), err: errs.String()}
}

func TestADropInKnowsOneExitCode(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n"})
	for _, args := range [][]string{
		{"bogus"},
		{"list", "--bogus"},
		{"install"},
		{"list"},
		{"template", dir, "--set-json", "x=["},
		{"upgrade", "web", dir, "--install", "-o", "json"},
		{"status", "web", "-o", "json"},
	} {
		got := asHelm(t, args...)
		if got.code != 1 || got.out != "" || !strings.HasPrefix(got.err, "Error: ") && !strings.Contains(got.err, "\nError: ") {
			t.Errorf("%v: exit code %d, out %q, err %q", args, got.code, got.out, got.err)
		}
	}
	if got := asHelm(t, "template", "web", dir); got.code != 0 || !strings.Contains(got.out, "name: a") || got.err != "" {
		t.Errorf("template: %+v", got)
	}
}

func TestOldFlagsAreToldOfBesideTheResult(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n"})
	got := run(t, "install", "web", dir, "--atomic", "--force", "--dry-run=client", "-o", "json")
	if got.code != 0 || !strings.HasPrefix(got.out, "{") {
		t.Errorf("exit code %d, out %q", got.code, got.out)
	}
	for _, want := range []string{"--atomic is an older name: use --rollback-on-failure", "--force is an older name: use --force-replace"} {
		if !strings.Contains(got.err, want) {
			t.Errorf("no %q in %q", want, got.err)
		}
	}
}

func TestHelmsWordsOfFailures(t *testing.T) {
	problem := diag.Problem{Summary: "ours", Detail: "more"}
	for name, tc := range map[string]struct {
		command string
		err     error
		want    string
	}{
		"no release":   {"status", &lifecycle.NoReleaseError{Name: "web"}, "Error: release: not found\n  there is no release web in namespace \n  see `helm list -A` for what there is\n"},
		"no revision":  {"get", release.ErrNotFound, "Error: release: not found\n  release: not found\n"},
		"taken":        {"install", &lifecycle.Refused{Err: &lifecycle.NameTakenError{Name: "web", Problem: problem}}, "Error: INSTALLATION FAILED: cannot reuse a name that is still in use\n  ours\n  more\n"},
		"not deployed": {"upgrade", &lifecycle.Refused{Err: &lifecycle.NotDeployedError{Name: "web", Problem: problem}}, "Error: UPGRADE FAILED: \"web\" has no deployed releases\n  ours\n  more\n"},
		"pending":      {"upgrade", &lifecycle.PendingError{Name: "web"}, "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n"},
		"locked":       {"rollback", &lock.BusyError{}, "Error: another operation (install/upgrade/rollback) is in progress\n"},
		"a problem":    {"upgrade", diag.Problem{Summary: "bad hook", Detail: "why", File: "a.yaml", Line: 3}, "Error: UPGRADE FAILED: a.yaml:3: bad hook\n  why\n"},
		"usage":        {"upgrade", asUsage(errors.New("no such flag\nsee help")), "Error: no such flag\n  see help\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var errs bytes.Buffer
			a := newApp(Streams{Err: &errs}, noCluster)
			a.asHelm = true
			a.writeHelmError(&cobra.Command{Use: tc.command + " NAME"}, tc.err, a.explain(tc.err))
			if !strings.HasPrefix(errs.String(), tc.want) {
				t.Errorf("got\n%s\nwant\n%s", errs.String(), tc.want)
			}
		})
	}
}

func TestTheVersionOfADropIn(t *testing.T) {
	read := func() (*debug.BuildInfo, bool) {
		return &debug.BuildInfo{Deps: []*debug.Module{{Path: "k8s.io/client-go", Version: "v0.37.2"}}}, true
	}
	b := versionInfo{HelmVersion: "v4.3.1", GitCommit: "0123456789abcdef", GoVersion: "go1.26.8"}.helmBuild(read)
	if got := b.short(); got != "v4.3.1+g0123456" {
		t.Errorf("short: %s", got)
	}
	want := `version.BuildInfo{Version:"v4.3.1", GitCommit:"0123456789abcdef", GitTreeState:"", GoVersion:"go1.26.8", KubeClientVersion:"v1.37"}`
	if got := b.line(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := (versionInfo{}).helmBuild(read).short(); got != helmRelease {
		t.Errorf("of an unknown build: %s", got)
	}
}
