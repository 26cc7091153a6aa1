package e2e

import (
	"bytes"
	"context"
	encodingjson "encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// dropIns are command lines that tools give to the program helm, one after
// another, each on what the ones before have left. A line that begins with !
// fails; what else it may begin with says how much must be equal: everything,
// unless it is
//
//	~  data, as JSON or YAML: not what the cluster puts into live objects
//	#  the exit code alone: the text names what differs, see docs/differences.md
const dropIns = `
  version
  version --short
  version --template {{.Version}}
  list
  list -q
  list -o json
  list -o yaml
! status shop
! history shop
! get values shop
! uninstall shop
  uninstall shop --ignore-not-found
! upgrade shop chart
  install shop chart --set colour=red --labels team=blue
! install shop chart
  install --name-template other chart --hide-notes
~ install quiet chart -o json --description why
~ install quiet2 chart --output yaml --wait=hookOnly
! install broken chart --set broken=true -o json
! install bad chart --set-json list=[
! install bad nowhere
  install dry chart --dry-run
  install dry chart --dry-run=client
  install dry chart --dry-run=server
# install dry chart --dry-run=server --hide-secret
  list
  list -q
  list --no-headers
  list --filter ^sh
  list --short --output json
  list --time-format 2006
  list --max 1 --offset 1 -q
  list -l team=blue
~ list -o json
~ list -o yaml
  status shop
~ status shop -o json
~ status shop -o yaml
  upgrade shop chart --set colour=green --hide-notes
  upgrade shop chart --reuse-values --set size=3 --wait --timeout 60s
  upgrade -i fresh chart
  upgrade --install fresh chart --reset-values
  upgrade shop chart --dry-run
  upgrade shop chart --dry-run=server
~ upgrade shop chart -o json --reset-then-reuse-values
  history shop
~ history shop -o json
~ history shop -o yaml
  history shop --max 2
# upgrade shop chart --atomic --timeout 60s
!# upgrade shop chart --atomic --set broken=true --timeout 60s
!# upgrade shop chart --rollback-on-failure --set broken=true --timeout 60s -o json
# history shop
~ history shop -o json
  get values shop
  get values shop -a
  get values shop -o json
  get values shop --revision 1 -o yaml
  get manifest shop
  get hooks shop
  get notes shop
# get metadata shop
# get metadata shop -o json
  get all shop
  get all shop --template {{.Release.Name}}
  rollback shop 1
  rollback shop
  rollback shop 2 --dry-run
! rollback shop 99
  status shop --revision 2
  test shop
  test shop --logs
# test shop --filter name=shop-ok
  upgrade shop chart --set fails=true
!# test shop
  status shop
  template shop chart --set colour=red
  template shop chart --show-only templates/all.yaml
  show chart chart
  show values chart
# lint chart
  get hooks other --revision 1
  get values shop --all --output yaml
  get manifest other --revision 1 --namespace $NAMESPACE
  --kube-context $CONTEXT get all --namespace $NAMESPACE shop
  get all shop --template {{.Release.Manifest}}
! --kube-context $CONTEXT get all --namespace $NAMESPACE sky
  --kube-context $CONTEXT dep build chart
  --kube-context $CONTEXT package chart --destination packed --version 2.0.0 --app-version 8
  --kube-context $CONTEXT plugin install renderer
  plugin list
  --kube-context $CONTEXT install sky --post-renderer renderer packed/shop-2.0.0.tgz --namespace $NAMESPACE --create-namespace -f values.yaml --set-string size=7 --set colour=red --set-file list[0]=values.yaml --wait --kubeconfig kubeconfig
  --kube-context $CONTEXT upgrade sky --post-renderer renderer chart --namespace $NAMESPACE -f values.yaml --set-string size=8 --wait
  --kube-context $CONTEXT template sky chart --post-renderer renderer --namespace $NAMESPACE --set-string size=8 --skip-tests
  --kube-context $CONTEXT get manifest sky --namespace $NAMESPACE
  --kube-context $CONTEXT delete sky --namespace $NAMESPACE
  --kube-context $CONTEXT plugin uninstall renderer
! plugin uninstall renderer
  dependency build chart
# lint chart --values values.yaml
  install ct chart --namespace $NAMESPACE --wait --values values.yaml --timeout 60s --set size=2
  test ct --namespace $NAMESPACE --timeout 60s
  upgrade ct chart --namespace $NAMESPACE --wait --values values.yaml
  uninstall ct --namespace $NAMESPACE --wait
# upgrade --install --atomic --wait --timeout 300s --set image.tag=a --values values.yaml --history-max 3 --namespace $NAMESPACE auto chart/
# upgrade --install --cleanup-on-fail --atomic --wait --timeout=300s --reuse-values --set-string release=1 auto chart
~ list --namespace $NAMESPACE --filter ^auto$ -o json
  get values --namespace $NAMESPACE --output json auto
  uninstall auto --namespace $NAMESPACE --wait --timeout 60s
! uninstall auto --namespace $NAMESPACE
  template chart --name-template argo --namespace $NAMESPACE --kube-version 1.33 --set colour=red --set-string size=1 --set-file list[0]=values.yaml --values values.yaml --api-versions v1 --api-versions apps/v1/Deployment --include-crds --skip-schema-validation --skip-tests
  template argo chart --validate --is-upgrade --no-hooks --namespace $NAMESPACE --disable-openapi-validation --values values.yaml
  show chart ./chart
! registry login 127.0.0.1:1 --username me --password x
  registry logout 127.0.0.1:1
! repo add gone http://127.0.0.1:1
! pull --destination packed --version 1.0.0 --repo http://127.0.0.1:1 web
! pull oci://127.0.0.1:1/web --version 1.0.0 --destination packed
  uninstall other quiet
  uninstall quiet2 --keep-history
  list --uninstalled
  delete quiet2
  un fresh --wait
  uninstall shop
! status shop
! bogus
! install
! list --bogus
`

// TestDropIn runs each line with Helm and, in a namespace beside, with pintle
// under the name helm: standard output and exit code must be the same.
func TestDropIn(t *testing.T) {
	t.Parallel()
	c := connect(t)
	programs := findPrograms(t)
	pintle := filepath.Join(t.TempDir(), "helm")
	if err := os.Symlink(filepath.Join(programs, "pintle"), pintle); err != nil {
		t.Fatal(err)
	}
	// Namespaces of the same length, for the columns of tables.
	helm := newSide(t, c, filepath.Join(programs, "helm"), "helm")
	ours := newSide(t, c, pintle, "ours")
	for line := range strings.Lines(strings.Trim(dropIns, "\n")) {
		mark, command, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		name, args := command, strings.Fields(command)
		want, got := helm.run(t, args), ours.run(t, args)
		if fails := strings.Contains(mark, "!"); fails != (want.code != 0) {
			t.Errorf("%s: Helm ends with %d\n%s", name, want.code, want.err)
		}
		if got.code != want.code {
			t.Errorf("%s: exit code %d, not %d\n%s", name, got.code, want.code, got.err)
		}
		if strings.Contains(mark, "#") {
			continue
		}
		if strings.Contains(mark, "~") {
			want.out, got.out = lasting(t, want.out), lasting(t, got.out)
		}
		if diff := cmp.Diff(want.out, got.out); diff != "" {
			t.Errorf("%s (-helm +pintle):\n%s", name, diff)
		}
	}
}

// side is one of the two programs in its namespace.
type side struct {
	// context is that of the kubeconfig.
	program, namespace, dir, context string
	env                              []string
}

type sideResult struct {
	out, err string
	code     int
}

func newSide(t *testing.T, c *cluster, program, name string) *side {
	t.Helper()
	s := &story{cluster: c, ctx: t.Context(), namespace: "e2e-dropin-" + name + "-" + rand.String(5)}
	if err := s.createNamespace(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended.
		err := c.objects.Resource(namespaces).Delete(context.WithoutCancel(s.ctx), s.namespace, metav1.DeleteOptions{})
		if err != nil {
			t.Logf("cleaning up: %v", err)
		}
	})
	side := &side{program: program, namespace: s.namespace, dir: t.TempDir(), context: s.config.CurrentContext}
	kubeconfig := filepath.Join(side.dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*s.preset(), kubeconfig); err != nil {
		t.Fatal(err)
	}
	side.env = append(os.Environ(), "HOME="+side.dir, "KUBECONFIG="+kubeconfig, "XDG_DATA_HOME=")
	archive, err := txtar.ParseFile(filepath.Join("testdata", "dropin.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		path := filepath.Join(side.dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return side
}

// changing are the parts of texts that are different each time: times in the
// forms of Go, of its ANSIC format, and of RFC 3339.
var changing = []*regexp.Regexp{
	regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC( m=\+\S+)? *`),
	regexp.MustCompile(`(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d \d{4}`),
	regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`),
	regexp.MustCompile(`(?m)\b\d+m?s( *)$`), // ages
	regexp.MustCompile(`UPDATED *`),         // as wide as the times below, whose last zeros are not written
}

func (s *side) run(t *testing.T, args []string) sideResult {
	t.Helper()
	var out, errs bytes.Buffer
	args = slices.Clone(args)
	for i := range args {
		args[i] = strings.NewReplacer("$NAMESPACE", s.namespace, "$CONTEXT", s.context).Replace(args[i])
	}
	cmd := exec.CommandContext(t.Context(), s.program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env, &out, &errs
	_ = cmd.Run() // the code says it
	text := strings.NewReplacer(s.namespace, "NAMESPACE", s.dir, "FOLDER").Replace(out.String())
	for _, e := range changing {
		text = e.ReplaceAllString(text, "TIME")
	}
	return sideResult{out: text, err: errs.String(), code: cmd.ProcessState.ExitCode()}
}

// lasting is data without what the cluster puts into live objects, and without
// delete_policies, where Helm records its default as if the chart had written it.
func lasting(t *testing.T, text string) string {
	t.Helper()
	var data any
	if err := yaml.Unmarshal([]byte(text), &data); err != nil {
		t.Errorf("not data: %v\n%s", err, text)
	}
	out, err := encodingjson.MarshalIndent(without(data), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func without(data any) any {
	switch d := data.(type) {
	case map[string]any:
		for _, key := range []string{"uid", "resourceVersion", "managedFields", "creationTimestamp", "generation", "delete_policies"} {
			delete(d, key)
		}
		if text, ok := d["description"].(string); ok && strings.Contains(text, " failed: ") {
			d["description"], _, _ = strings.Cut(text, " failed: ") // why is told in more words
		}
		for key, value := range d {
			d[key] = without(value)
		}
	case []any:
		for i := range d {
			d[i] = without(d[i])
		}
	}
	return data
}
