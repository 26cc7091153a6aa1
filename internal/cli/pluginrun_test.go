package cli

import (
	"os"
	"path/filepath"
	"slices"
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
		"flags of one form":   {olderPlugin, []string{"diff", "up", "-n=b", "--profile", "prod", "--timings"}, 0, "own up --profile prod --timings in b of diff\n"},
		"its exit code":       {olderPlugin, []string{"diff", "fail"}, 7, "own fail in default of diff\n"},
		"another command":     {olderPlugin, []string{"bogus"}, exitUsage, ""},
		"Helm 4's form":       {"apiVersion: v1\ntype: cli/v1\nname: diff\nruntime: subprocess\nruntimeConfig: {platformCommand: [{command: $HELM_PLUGIN_DIR/run.sh}]}\n", []string{"diff", "a"}, 0, "a in default of diff\n"},
		"a verb of its own":   {"apiVersion: v1\ntype: cli/v1\nname: differ\nruntime: subprocess\nconfig: {usage: 'diff [flags]'}\nruntimeConfig: {platformCommand: [{command: $HELM_PLUGIN_DIR/run.sh}]}\n", []string{"diff", "a"}, 0, "a in default of differ\n"},
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

func TestAFolderBecomesAPlugin(t *testing.T) {
	script := `echo "$@ of $HELM_PLUGIN_NAME"`
	for name, tc := range map[string]struct{ manifest, installed, removed string }{
		"the older form": {
			olderPlugin + "hooks: {install: 'echo in $HELM_PLUGIN_NAME', delete: 'echo out'}\n", "in diff\n", "out\n",
		},
		"with commands for systems": {
			olderPlugin + "platformHooks: {install: [{command: echo, args: [in, $HELM_PLUGIN_NAME]}]}\n", "in diff\n", "",
		},
		"Helm 4's form": {
			"apiVersion: v1\ntype: cli/v1\nname: diff\nversion: 1.0.0\nruntime: subprocess\n" +
				"runtimeConfig: {platformCommand: [{command: $HELM_PLUGIN_DIR/run.sh}], platformHooks: {install: [{command: echo, args: [in, $IT]}]}}\n", "in $IT\n", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			at, _ := writePlugin(t, tc.manifest, script)("HELM_PLUGINS")
			plugins := t.TempDir()
			env := func(name string) (string, bool) {
				if name == "HELM_PLUGINS" {
					return plugins, true
				}
				return noCluster(name)
			}
			want := func(code int, out, err string, args ...string) {
				t.Helper()
				if got := runIn(t, env, args...); got.code != code || got.out != out || !strings.Contains(got.err, err) {
					t.Errorf("%v: exit code %d, standard output %q, standard error %q", args, got.code, got.out, got.err)
				}
			}
			began := "Installing plugin from local directory (development mode)\n"
			folder := filepath.Join(at, "it")
			want(0, began+tc.installed+"Installed plugin: diff\n", "", "plugin", "install", folder)
			want(exitRefused, began, "plugin already exists", "plugin", "install", folder)
			if got := runIn(t, env, "diff", "a"); got.code != 0 || !strings.Contains(got.out, "a of diff") {
				t.Errorf("it runs as %+v", got)
			}
			want(0, tc.removed+"Uninstalled plugin: diff\n", "", "plugin", "rm", "diff")
			want(exitRefused, "", "plugin: diff not found", "plugin", "uninstall", "diff")
			if left, err := os.ReadDir(folder); err != nil || len(left) != 2 {
				t.Errorf("the folder itself: %v, %v", left, err)
			}
		})
	}
}

// Nothing is fetched, and what is no plugin does not become one.
func TestWhatIsNoFolderIsNoPlugin(t *testing.T) {
	env := writePlugin(t, olderPlugin, "")
	for source, want := range map[string]string{
		"https://me:s3cret@example.com/it.tgz": "only folders", "/nowhere": "only folders", t.TempDir(): "plugin metadata (plugin.yaml) missing",
	} {
		if got := runIn(t, env, "plugin", "install", source); got.code != exitRefused || !strings.Contains(got.err, want) || strings.Contains(got.err, "s3cret") {
			t.Errorf("%s: exit code %d\n%s", source, got.code, got.err)
		}
	}
	folder, _ := env("HELM_PLUGINS")
	if got, err := os.ReadDir(folder); err != nil || slices.ContainsFunc(got, func(e os.DirEntry) bool { return e.Name() != "it" }) {
		t.Errorf("%v, %v", got, err)
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
