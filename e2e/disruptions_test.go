package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDisruptions tells the stories of disruptions/, in which a part of the
// cluster fails. Each has the cluster for itself: they run one by one, after
// the others, and only where $PINTLE_E2E_DISRUPT says that nobody else is on it
// and the cluster is a sandbox, whose components pintle-sandbox stops and starts.
func TestDisruptions(t *testing.T) {
	if os.Getenv("PINTLE_E2E_DISRUPT") == "" {
		t.Skip("PINTLE_E2E_DISRUPT is not set: somebody else may be using the cluster")
	}
	scripts, err := filepath.Glob("disruptions/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("disruptions/ holds no story: %v", err)
	}
	c := connect(t)
	programs := findPrograms(t)
	for _, script := range scripts {
		p := params(t, c, programs, script)
		setUp := p.Setup
		p.Setup = func(env *testscript.Env) error {
			if dir := os.Getenv("PINTLE_SANDBOX_DIR"); dir != "" {
				env.Setenv("PINTLE_SANDBOX_DIR", dir)
			}
			return setUp(env)
		}
		t.Run("one by one", func(t *testing.T) { runStories(t, p) })
	}
}
