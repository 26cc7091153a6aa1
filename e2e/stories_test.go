// Package e2e runs the real binary against a real cluster. Each file of
// scripts/ is a story, told in commands: one user, one namespace, one outcome.
// All of them run, side by side, so none may reach outside its own namespace
// or use a cluster-wide name that does not contain $NAMESPACE.
//
// Beside testscript's own commands a story has those of commands_test.go, and
// in its PATH pintle, helm (4), helm3 and kubectl. $KUBECONFIG leads to the
// cluster with that namespace preset, $NAMESPACE is its name, $EXAMPLES the
// examples folder of the repository.
//
// The cluster is the one of $PINTLE_E2E_KUBECONFIG. Without that variable the
// stories are skipped, unless $PINTLE_E2E is "required", as `make test` sets it.
package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestStories(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("scripts/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) == 0 {
		t.Fatal("scripts/ holds no story")
	}
	c := connect(t)
	programs := findPrograms(t)
	runStories(t, params(t, c, programs, scripts...))
}

// params are what all stories run with.
func params(t *testing.T, c *cluster, programs string, scripts ...string) testscript.Params {
	return testscript.Params{
		Files:               scripts,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setUp(t.Context(), env, c, programs) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"archive":     archive,
			"charthost":   charthost,
			"damage":      damage,
			"exits":       exits,
			"collector":   collector,
			"database":    database(t),
			"eventually":  eventually,
			"expand":      expand,
			"json":        json,
			"login":       login,
			"noise":       noise,
			"observe":     observe,
			"otherca":     otherca,
			"otherclient": otherclient,
			"pgpkey":      pgpkey,
			"observed":    observed,
			"registry":    registry,
			"received":    received,
			"remember":    remember,
			"unchanged":   unchanged,
			"webhook":     webhook,
		},
	}
}

// findPrograms returns the folder of the programs that stories run.
func findPrograms(t *testing.T) string {
	t.Helper()
	bin, err := filepath.Abs("../bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pintle", "helm", "helm3", "kubectl"} {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			missing(t, "bin/%s is not built; run make test", name)
		}
	}
	return bin
}

// missing ends a test that cannot run: as failed where it must run, else as skipped.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("PINTLE_E2E") == "required" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
