package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// result is what a command line gave.
type result struct {
	code     int
	out, err string
}

// noCluster is an environment without a kubeconfig, so that nothing is ever
// reached by accident.
func noCluster(name string) (string, bool) {
	set := map[string]string{"HELM_KUBEAPISERVER": "http://127.0.0.1:1"}
	value, ok := set[name]
	return value, ok
}

// run runs a command line as main does, without a cluster.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return runIn(t, noCluster, args...)
}

func runIn(t *testing.T, env Env, args ...string) result {
	t.Helper()
	t.Setenv("KUBECONFIG", os.DevNull)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var out, errs bytes.Buffer
	a := newApp(Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, env)
	a.global.retryFor = time.Millisecond
	code := a.main(context.Background(), args)
	return result{code: code, out: out.String(), err: errs.String()}
}

// writeChart writes a chart with the given templates and returns its folder.
func writeChart(t *testing.T, templates map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "web")
	files := map[string]string{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n"}
	for name, text := range templates {
		files[filepath.Join("templates", name)] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	settings = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
  namespace: {{ .Release.Namespace }}
data:
  mode: {{ .Values.mode | default "plain" }}
`
	secret = `apiVersion: v1
kind: Secret
metadata:
  name: token
stringData:
  token: geheim
`
	oddHook = `apiVersion: v1
kind: ConfigMap
metadata:
  name: odd
  annotations:
    helm.sh/hook: pre-instal
`
)

func TestUsage(t *testing.T) {
	chart := writeChart(t, map[string]string{"settings.yaml": settings})
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"unknown command", []string{"instal", "web", chart}, []string{`no command "instal"`, "did you mean install?"}},
		{"unknown command below get", []string{"get", "valeus", "web"}, []string{`no command "valeus"`, "did you mean values?"}},
		{"removed command", []string{"rm", "web"}, []string{"did you mean", "uninstall"}},
		{"unknown flag", []string{"install", "web", chart, "--waait"}, []string{"--waait", "pintle install --help"}},
		{"bad duration", []string{"install", "web", chart, "--timeout", "soon"}, []string{"--timeout"}},
		{"negative duration", []string{"install", "web", chart, "--timeout", "-1s"}, []string{"--timeout", "negative"}},
		{"bad format", []string{"list", "-o", "xml"}, []string{"xml", "json"}},
		{"bad wait", []string{"install", "web", chart, "--wait=long"}, []string{"watcher, hookOnly, legacy"}},
		{"bad logs", []string{"test", "web", "--logs=some"}, []string{"auto, always, failed or never"}},
		{"bad dry run", []string{"install", "web", chart, "--dry-run=maybe"}, []string{"none, client or server"}},
		{"client-side", []string{"install", "web", chart, "--server-side=false"}, []string{"server-side only"}},
		{"bad cascade", []string{"uninstall", "web", "--cascade", "sideways"}, []string{"background, foreground, orphan"}},
		{"bad colour", []string{"list", "--color", "pink"}, []string{"never, auto, always"}},
		{"no chart", []string{"install"}, []string{"needs a name and a chart", "usage: pintle install"}},
		{"no name", []string{"install", chart}, []string{"--generate-name"}},
		{"name twice", []string{"install", "web", chart, "-g"}, []string{"--generate-name"}},
		{"too many", []string{"upgrade", "web", chart, "more"}, []string{`"more"`}},
		{"no release", []string{"uninstall"}, []string{"the name of a release"}},
		{"hidden Secrets without a dry run", []string{"install", "web", chart, "--hide-secret"}, []string{"--dry-run"}},
		{"system label", []string{"install", "web", chart, "--labels", "owner=me"}, []string{"owner"}},
		{"bad revision", []string{"rollback", "web", "two"}, []string{`"two"`}},
		{"negative revision", []string{"status", "web", "--revision", "-1"}, []string{"--revision"}},
		{"bad filter of tests", []string{"test", "web", "--filter", "nam=x"}, []string{`"nam=x"`, "name"}},
		{"bad pattern of tests", []string{"test", "web", "--filter", "name=[x"}, []string{`"name=[x"`}},
		{"negative retries", []string{"test", "web", "--retries", "-1"}, []string{"retries"}},
		{"bad regular expression", []string{"list", "--filter", "("}, []string{"--filter"}},
		{"bad selector", []string{"list", "--selector", "a=b=c=d"}, []string{"--selector"}},
		{"bad version", []string{"template", chart, "--kube-version", "old"}, []string{`"old"`}},
		{"bad template", []string{"version", "--template", "{{"}, []string{"--template"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := run(t, tt.args...)
			if got.code != exitUsage {
				t.Errorf("exit code %d, want %d", got.code, exitUsage)
			}
			if got.out != "" {
				t.Errorf("standard output holds %q", got.out)
			}
			if !strings.HasPrefix(got.err, "error: ") {
				t.Errorf("standard error begins with %q", got.err)
			}
			for _, want := range tt.want {
				if !strings.Contains(got.err, want) {
					t.Errorf("standard error has no %q:\n%s", want, got.err)
				}
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"help"}, {"get"}, {"install", "--help"}} {
		got := run(t, args...)
		if got.code != exitDone || got.err != "" || !strings.Contains(got.out, "Usage:") {
			t.Errorf("pintle %v: exit code %d, standard error %q", args, got.code, got.err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	for _, args := range [][]string{{"list"}, {"status", "web"}, {"history", "web"}, {"uninstall", "web"}, {"test", "web"}, {"rollback", "web"}} {
		got := run(t, args...)
		if got.code != exitFailed {
			t.Errorf("pintle %v: exit code %d, want %d", args, got.code, exitFailed)
		}
		for _, want := range []string{"no cluster reachable at http://127.0.0.1:1", "--kube-context"} {
			if !strings.Contains(got.err, want) {
				t.Errorf("pintle %v: standard error has no %q:\n%s", args, want, got.err)
			}
		}
	}
}

func TestNoClusterAtAll(t *testing.T) {
	got := runIn(t, func(string) (string, bool) { return "", false }, "list")
	if got.code != exitFailed || !strings.Contains(got.err, "no cluster to speak to\n  no kubeconfig was found") {
		t.Errorf("exit code %d, standard error:\n%s", got.code, got.err)
	}
}

func TestADatabaseThatIsNotThere(t *testing.T) {
	for connection, want := range map[string]string{
		"":                                     "$HELM_DRIVER_SQL_CONNECTION_STRING is not set",
		"postgres://me:hunter2@127.0.0.1:1/db": "database db at 127.0.0.1:1, as user me",
		"postgres://me:hunter2/@127.0.0.1/db":  "cannot be read",
	} {
		env := func(name string) (string, bool) {
			set := map[string]string{"HELM_DRIVER": "sql", "HELM_DRIVER_SQL_CONNECTION_STRING": connection}
			if value, ok := set[name]; ok {
				return value, value != ""
			}
			return noCluster(name)
		}
		t.Setenv("PGPORT", "1")
		got := runIn(t, env, "list")
		if got.code != exitRefused || !strings.Contains(got.err, want) || strings.Contains(got.err, "hunter2") {
			t.Errorf("%q: exit code %d, standard error:\n%s", connection, got.code, got.err)
		}
	}
}

func TestTemplate(t *testing.T) {
	chart := writeChart(t, map[string]string{"settings.yaml": settings, "odd.yaml": oddHook})
	got := run(t, "template", "shop", chart, "-n", "market", "--set", "mode=fast")
	want := `---
# Source: web/templates/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop-settings
  namespace: market
data:
  mode: fast
`
	if got.code != exitDone || got.out != want {
		t.Errorf("exit code %d, output:\n%s\nwant:\n%s", got.code, got.out, want)
	}
	if !strings.HasPrefix(got.err, "warning: web/templates/odd.yaml:6 (rendered): ") || !strings.Contains(got.err, `"pre-install"`) {
		t.Errorf("standard error: %s", got.err)
	}
}

func TestTemplateNames(t *testing.T) {
	chart := writeChart(t, map[string]string{"settings.yaml": settings})
	tests := []struct {
		args []string
		name string
	}{
		{[]string{chart}, "release-name-settings"},
		{[]string{"--name-template", `{{ "WEB" | lower }}`, chart}, "web-settings"},
	}
	for _, tt := range tests {
		got := run(t, append([]string{"template"}, tt.args...)...)
		if !strings.Contains(got.out, "name: "+tt.name+"\n") {
			t.Errorf("template %v: no name %s in:\n%s%s", tt.args, tt.name, got.out, got.err)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	chart := writeChart(t, map[string]string{"broken.yaml": "a: {{ fail \"no way\" }}\n"})
	got := run(t, "template", chart)
	if got.code != exitRefused || got.out != "" || !strings.Contains(got.err, "web/templates/broken.yaml:1: ") || !strings.Contains(got.err, "no way") {
		t.Errorf("exit code %d, output %q, standard error:\n%s", got.code, got.out, got.err)
	}
}

func TestDryRunWithoutCluster(t *testing.T) {
	chart := writeChart(t, map[string]string{"settings.yaml": settings, "secret.yaml": secret})
	got := run(t, "install", "shop", chart, "--dry-run=client", "--hide-secret", "-n", "market")
	if got.code != exitDone {
		t.Fatalf("exit code %d, standard error:\n%s", got.code, got.err)
	}
	for _, want := range []string{"NAME: shop\n", "NAMESPACE: market\n", "STATUS: pending-install\n", "DESCRIPTION: Dry run complete\n", "MANIFEST:\n---\n", "name: shop-settings", hidden} {
		if !strings.Contains(got.out, want) {
			t.Errorf("the output has no %q:\n%s", want, got.out)
		}
	}
	if strings.Contains(got.out, "geheim") {
		t.Error("the Secret's content is shown")
	}
	masked := run(t, "install", "shop", chart, "--dry-run=client")
	if masked.code != exitDone || strings.Contains(masked.out, "geheim") || !strings.Contains(masked.out, "'***'") {
		t.Errorf("unless asked, the Secret's values are to be masked:\n%s", masked.out)
	}
	if shown := run(t, "install", "shop", chart, "--dry-run=client", "--hide-secret=false"); !strings.Contains(shown.out, "geheim") {
		t.Errorf("the Secret's values were asked for:\n%s", shown.out)
	}
	if bare := run(t, "install", "shop", chart, "--dry-run"); bare.code != exitDone || bare.err != "" || !strings.Contains(bare.out, "Dry run complete") {
		t.Errorf("--dry-run alone: exit code %d, standard error %q", bare.code, bare.err)
	}
	if old := run(t, "install", "shop", chart, "--dry-run=true"); old.code != exitDone || !strings.Contains(old.err, "--dry-run=client") {
		t.Errorf("--dry-run=true: exit code %d, standard error %q", old.code, old.err)
	}
}

func TestDryRunAsJSON(t *testing.T) {
	chart := writeChart(t, map[string]string{"settings.yaml": settings})
	got := run(t, "upgrade", "--install", "shop", chart, "--dry-run=client", "-o", "json")
	if got.code != exitDone || !strings.HasPrefix(got.out, `{"name":"shop","info":{`) || strings.Count(got.out, "\n") != 1 {
		t.Errorf("exit code %d, output:\n%s\nstandard error:\n%s", got.code, got.out, got.err)
	}
}

func TestVersionCommand(t *testing.T) {
	if got := run(t, "version"); !strings.HasPrefix(got.out, "pintle v") || !strings.Contains(got.out, "Helm charts of ") {
		t.Errorf("version prints %q", got.out)
	}
	if got := run(t, "version", "--template", "{{.GoVersion}}"); !strings.HasPrefix(got.out, "go1.") {
		t.Errorf("version --template prints %q", got.out)
	}
}
