package cli

import (
	"strings"
	"testing"
)

// TestTemplateTakesTheFlagsOfInstall: scripts hand the same flags to both.
func TestTemplateTakesTheFlagsOfInstall(t *testing.T) {
	chart := writeChart(t, map[string]string{"settings.yaml": settings})
	plain := run(t, "template", "web", chart)
	same := run(t, "template", "web", chart, "--atomic", "--wait", "--wait=legacy", "--timeout", "9m", "--create-namespace", "--labels", "a=b",
		"--description", "x", "--skip-crds", "--server-side=auto", "--force-conflicts", "--take-ownership", "--disable-openapi-validation")
	if same.code != exitDone || same.out != plain.out {
		t.Errorf("exit code %d, standard error %q, output:\n%s", same.code, same.err, same.out)
	}
	if bad := run(t, "template", "web", chart, "--timeout", "soon"); bad.code != exitUsage || !strings.Contains(bad.err, "timeout") {
		t.Errorf("a bad value: exit code %d, standard error %q", bad.code, bad.err)
	}
	if help := run(t, "template", "--help"); strings.Contains(help.out, "--atomic") {
		t.Error("a flag without an effect is shown")
	}
}
