package cli

import (
	"strings"
	"testing"
)

func TestAFlagThatWasMeant(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"upgrade", "web", "./web", "--wiat"}, "unknown flag: --wiat\n  did you mean --wait?\n  see `pintle upgrade --help`"},
		{[]string{"upgrade", "web", "./web", "--timout=5m"}, "did you mean --timeout?"},
		{[]string{"upgrade", "web", "./web", "-wait"}, "did you mean --wait?"},
		{[]string{"list", "--all-namespace"}, "did you mean --all-namespaces?"},
		{[]string{"list", "--kubecontext", "x"}, "did you mean --kube-context?"},
		{[]string{"list", "--nothing-like-any"}, ""},
		{[]string{"list", "-Z"}, ""},
		{[]string{"list", "--max", "soon"}, ""},
	} {
		got := run(t, tc.args...)
		if got.code != exitUsage || tc.want == "" && strings.Contains(got.err, "did you mean") || !strings.Contains(got.err, tc.want) {
			t.Errorf("%v: exit code %d\n%s", tc.args, got.code, got.err)
		}
	}
	if got := asHelm(t, "list", "--all-namespace"); strings.Contains(got.err, "did you mean") {
		t.Errorf("Helm's words are not these:\n%s", got.err)
	}
}

// The name is checked first: no cluster is needed to tell that it is none.
func TestABadNameNeedsNoCluster(t *testing.T) {
	nowhere := func(string) (string, bool) { return "", false }
	for _, args := range [][]string{{"install", "Shop_1", "./nowhere"}, {"upgrade", "-i", "Shop_1", "./nowhere"}} {
		got := runIn(t, nowhere, args...)
		if got.code != exitRefused || !strings.Contains(got.err, `"Shop_1" is not allowed`) || strings.Contains(got.err, "kubeconfig") {
			t.Errorf("%v: exit code %d\n%s", args, got.code, got.err)
		}
	}
}
