package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writePlugin installs a plugin whose program is a shell script, and gives the
// environment in which it is found.
func writePlugin(t *testing.T, manifest, script string) Env {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"plugin.yaml": manifest, "run.sh": "#!/bin/sh\n" + script} {
		path := filepath.Join(folder, "it", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) (string, bool) {
		if name == "HELM_PLUGINS" {
			return folder, true
		}
		return noCluster(name)
	}
}

const olderPlugin = "name: diff\nversion: 1.0.0\nusage: shows\ncommand: $HELM_PLUGIN_DIR/run.sh own\n"

func TestAPluginIsACommand(t *testing.T) {
	script := `echo "$@ in $HELM_NAMESPACE of $HELM_PLUGIN_NAME"; [ "$2" != fail ] || exit 7`
	for name, tc := range map[string]struct {
		manifest string
		args     []string
		code     int
		out      string
	}{
		"the older form":      {olderPlugin, []string{"diff", "upgrade", "web"}, 0, "own upgrade web in default of diff\n"},
		"our flags":           {olderPlugin, []string{"--namespace", "a", "diff", "up", "-n", "b", "--kube-context=c", "--color", "-x", "y"}, 0, "own up --color -x y in b of diff\n"},
		"its exit code":       {olderPlugin, []string{"diff", "fail"}, 7, "own fail in default of diff\n"},
		"another command":     {olderPlugin, []string{"bogus"}, exitUsage, ""},
		"Helm 4's form":       {"apiVersion: v1\ntype: cli/v1\nname: diff\nruntime: subprocess\nruntimeConfig: {platformCommand: [{command: $HELM_PLUGIN_DIR/run.sh}]}\n", []string{"diff", "a"}, 0, "a in default of diff\n"},
		"another kind":        {"apiVersion: v1\ntype: getter/v1\nname: diff\nruntime: subprocess\n", []string{"diff", "a"}, exitUsage, ""},
		"a name that is ours": {strings.Replace(olderPlugin, "name: diff", "name: version", 1), []string{"version", "--template", "x"}, 0, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runIn(t, writePlugin(t, tc.manifest, script), tc.args...)
			if got.code != tc.code || got.out != tc.out {
				t.Errorf("exit code %d, standard output %q, standard error %q", got.code, got.out, got.err)
			}
		})
	}
}

func TestPluginsAreListed(t *testing.T) {
	got := runIn(t, writePlugin(t, olderPlugin, ""), "plugin", "ls")
	if want := "diff\t1.0.0  \tcli/v1\tlegacy    \tunknown   \tunknown\n"; got.code != 0 || !strings.Contains(got.out, want) {
		t.Errorf("exit code %d:\n%s", got.code, got.out)
	}
	if got := runIn(t, writePlugin(t, olderPlugin, ""), "plugin", "list", "--type", "getter/v1"); strings.Contains(got.out, "diff") {
		t.Errorf("getters:\n%s", got.out)
	}
}
