package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// modestChart is what the Roles of docs/rbac.md speak of: two ordinary kinds, a
// Deployment to wait for, hooks that are Jobs, data of a hook, and a test.
var modestChart = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
	"values.yaml": "run: 0\nmore: true\nsleep: 0\n",
	"templates/shop.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data: {run: "{{ .Values.run }}"}
---
{{- if .Values.more }}
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-more}
{{- range until 4 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-more-{{ . }}}
{{- end }}
---
apiVersion: v1
kind: Service
metadata: {name: shop-more}
spec: {selector: {app: shop}, ports: [{port: 80}]}
{{- end }}
---
apiVersion: v1
kind: Service
metadata: {name: shop, annotations: {run: "{{ .Values.run }}"}}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}, annotations: {run: "{{ .Values.run }}"}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: busybox:1.36, command: [sleep, "3600"]}]
{{- if .Values.more }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-more}
spec:
  replicas: 0
  selector: {matchLabels: {app: shop-more}}
  template:
    metadata: {labels: {app: shop-more}}
    spec: {containers: [{name: main, image: busybox:1.36}]}
{{- end }}
`,
	"templates/hooks.yaml": `{{- range list "pre-install,pre-upgrade,pre-rollback,pre-delete" "post-install,post-upgrade,post-rollback,post-delete" }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: shop-{{ substr 0 3 . }}
  annotations: {helm.sh/hook: "{{ . }}"}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox:1.36, command: [sh, -c, "echo done; sleep {{ $.Values.sleep }}"]}]
{{- end }}
---
apiVersion: v1
kind: Pod
metadata: {name: shop-test, annotations: {helm.sh/hook: test}}
spec:
  restartPolicy: Never
  containers: [{name: main, image: busybox:1.36, command: [echo, fine]}]
`,
}

// rightsScene is a section of docs/rbac.md put to the proof.
type rightsScene struct {
	// section is its heading.
	section string
	// before is run by somebody who may do everything; with are the commands that
	// must do with what the section grants. One that begins with "kill" is killed
	// in its first hook, "interrupt" gets a Ctrl-C there, "admin" is not pintle's; without the
	// optional rights these three are left out.
	before, with [][]string
}

// cutShort are the steps of a scene that do not come to their end.
var cutShort = map[string]string{"kill": "during:%s:700ms", "interrupt": "int:during:%s:4s"}

var rightsScenes = []rightsScene{
	{
		section: "install and upgrade",
		with: [][]string{
			{"install", "shop", "chart", "--wait"},
			{"interrupt", "upgrade", "shop", "chart", "--set", "sleep=60"},
			{"kill", "upgrade", "shop", "chart"},
			{"upgrade", "shop", "chart", "--wait", "--set", "run=1", "--set", "more=false", "--history-max", "1"},
			{"upgrade", "shop", "chart", "--wait", "--set", "run=2", "--set", "more=false", "--history-max", "1"},
		},
	},
	{
		section: "rollback",
		before: [][]string{
			{"install", "shop", "chart"}, {"upgrade", "shop", "chart", "--set", "run=1,sleep=60", "--no-hooks"},
			{"upgrade", "shop", "chart", "--set", "more=false"}, {"upgrade", "shop", "chart", "--set", "more=false,run=2"},
		},
		with: [][]string{
			{"rollback", "shop", "3", "--wait"}, {"kill", "rollback", "shop", "1"}, {"rollback", "shop", "1", "--wait"},
			{"interrupt", "rollback", "shop", "2"}, {"rollback", "shop", "3", "--wait", "--history-max", "4"},
		},
	},
	{
		section: "uninstall",
		before:  [][]string{{"install", "shop", "chart", "--set", "sleep=10", "--no-hooks"}},
		with:    [][]string{{"interrupt", "uninstall", "shop"}, {"kill", "uninstall", "shop"}, {"uninstall", "shop", "--wait"}},
	},
	{
		section: "test",
		before:  [][]string{{"admin", "helm", "install", "shop", "chart", "--no-hooks"}},
		with:    [][]string{{"test", "shop", "--logs"}, {"kill", "test", "shop"}, {"test", "shop", "--logs"}},
	},
	{
		section: "hooks run and hooks clean",
		before:  [][]string{{"admin", "helm", "install", "shop", "chart", "--no-hooks"}},
		with: [][]string{
			{"hooks", "run", "shop", "shop-pre", "--logs"}, {"kill", "hooks", "run", "shop", "shop-pre"}, {"hooks", "run", "shop", "shop-pre"},
			{"hooks", "clean", "shop"},
		},
	},
	{
		section: "unlock",
		before:  [][]string{{"install", "shop", "chart"}, {"kill", "upgrade", "shop", "chart"}},
		with: [][]string{
			{"unlock", "shop", "--yes"}, {"admin", "pintle", "upgrade", "shop", "chart"}, {"admin", "kubectl", "delete", "lease", "pintle.shop"}, {"unlock", "shop", "--yes"},
		},
	},
	{
		section: "reading",
		before:  [][]string{{"install", "shop", "chart"}, {"upgrade", "shop", "chart"}, {"test", "shop"}},
		with: [][]string{
			{"list"}, {"history", "shop"}, {"status", "shop"}, {"get", "all", "shop"}, {"hooks", "list", "shop"}, {"hooks", "describe", "shop"},
			{"hooks", "logs", "shop", "shop-pre"}, {"hooks", "diff", "shop"}, {"report", "shop", "--file", "report.html"},
		},
	},
}

// TestRightsOfTheDocs holds docs/rbac.md to its word. For each section a service
// account gets exactly the Roles that it prints: its commands succeed, no
// request is denied, and every right is used. Without the Role that is said to be
// optional they succeed, too.
func TestRightsOfTheDocs(t *testing.T) {
	t.Parallel()
	c, programs := connect(t), findPrograms(t)
	page := readRights(t)
	for _, rs := range rightsScenes {
		t.Run(strings.ReplaceAll(rs.section, " ", "_"), func(t *testing.T) {
			t.Parallel()
			roles := page[rs.section]
			if len(roles) == 0 {
				t.Fatalf("docs/rbac.md has no section %q with a Role", rs.section)
			}
			used := playRights(t, c, programs, rs, roles)
			documented := granted(roles...)
			for _, right := range slices.Sorted(maps.Keys(documented)) {
				if !used[right] {
					t.Errorf("the right to %s is granted and never used", right)
				}
			}
			for _, right := range slices.Sorted(maps.Keys(used)) {
				if !documented[right] {
					t.Errorf("the right to %s is used and not documented", right)
				}
			}
		})
		if len(page[rs.section]) > 1 {
			t.Run(strings.ReplaceAll(rs.section, " ", "_")+"_without_the_optional", func(t *testing.T) {
				t.Parallel()
				playRights(t, c, programs, rs, page[rs.section][:1])
			})
		}
	}
	for section := range page {
		if !slices.ContainsFunc(rightsScenes, func(rs rightsScene) bool { return rs.section == section }) {
			t.Errorf("nothing proves section %q of docs/rbac.md", section)
		}
	}
}

// playRights runs a section's commands with those Roles, and gives the rights
// that were used. With all of the section's Roles no request may be denied.
func playRights(t *testing.T, c *cluster, programs string, rs rightsScene, roles []map[string]any) map[string]bool {
	t.Helper()
	s := newSceneOf(t, c, programs, modestChart)
	whole := len(readRights(t)[rs.section]) == len(roles)
	admin := filepath.Join(s.dir, "admin")
	if err := os.Rename(s.kubeconfig, admin); err != nil {
		t.Fatal(err)
	}
	s.kubeconfig = admin
	for _, args := range rs.before {
		// Without the right to locks, what a dead run has left would be refused.
		if args[0] != "kill" || whole || rs.section == "unlock" {
			s.act(t, args, admin, programs)
		}
	}
	p := startProxy(t, c, false)
	p.own = true
	s.kubeconfig = filepath.Join(s.dir, "modest")
	p.kubeconfig(t, s.namespace, s.serviceAccount(t, programs, roles), s.kubeconfig)
	for _, args := range rs.with {
		if _, cut := cutShort[args[0]]; whole || !cut && args[0] != "admin" {
			s.act(t, args, admin, programs)
		}
	}
	used := map[string]bool{}
	for _, a := range p.requests() {
		right, inNamespace := rightOf(a, s.namespace)
		if a.status == 403 && whole {
			t.Errorf("denied: %s", a.what())
		}
		if right == "" {
			continue
		}
		if !inNamespace && whole { // without a lock, it is asked whether the namespace is there
			t.Errorf("reaches outside the namespace: %s", a.what())
		}
		used[right] = true
		if verb, what, _ := strings.Cut(right, " "); verb == "patch" && a.status == 201 {
			used["create "+what] = true
		}
	}
	return used
}

// act plays one step of a scene.
func (s *scene) act(t *testing.T, args []string, admin, programs string) {
	t.Helper()
	if args[0] == "admin" {
		cmd := exec.Command(filepath.Join(programs, args[1]), args[2:]...)
		cmd.Dir = s.dir
		cmd.Env = append(os.Environ(), "KUBECONFIG="+admin, "HELM_NAMESPACE="+s.namespace)
		if args[1] == "pintle" {
			cmd.Path = s.pintle
			cmd.Env = append(cmd.Env, "PINTLE_TEST_KILL_AT=2")
		} else {
			cmd.Args = append(cmd.Args, "--namespace", s.namespace)
		}
		if out, err := cmd.CombinedOutput(); err != nil && args[1] != "pintle" {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return
	}
	at := ""
	form, cut := cutShort[args[0]]
	if cut {
		at, args = fmt.Sprintf(form, s.firstHook(args[1])), args[1:]
	}
	out, killed, err := s.run(t, at, args...)
	switch {
	case cut && !killed:
		t.Errorf("%v was not cut short: %v\n%s", args, err, out)
	case !cut && err != nil:
		t.Errorf("%v: %v\n%s", args, err, out)
	}
}

// firstHook is the step of a command's first hook.
func (s *scene) firstHook(command string) string {
	at := map[string]string{
		"upgrade": "pre-upgrade/Job/%s/shop-pre", "rollback": "pre-rollback/Job/%s/shop-pre", "uninstall": "pre-delete/Job/%s/shop-pre",
		"test": "test/Pod/%s/shop-test", "hooks": "pre-upgrade/Job/%s/shop-pre",
	}
	return fmt.Sprintf(at[command], s.namespace)
}

// rightOf is "VERB RESOURCE.GROUP" of a request, empty for what everybody may.
func rightOf(a asked, namespace string) (right string, inNamespace bool) {
	parts := strings.Split(strings.Trim(a.path, "/"), "/")
	group := ""
	switch {
	case parts[0] == "api" && len(parts) > 2:
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		group, parts = "."+parts[1], parts[3:]
	default:
		return "", true // discovery
	}
	if strings.HasPrefix(parts[0], "selfsubject") {
		return "", true
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		inNamespace = parts[1] == namespace
		parts = parts[2:]
	}
	resource, verb := parts[0], map[string]string{"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}[a.method]
	if len(parts) == 1 && verb == "get" {
		verb = "list"
	}
	if a.watch() {
		verb = "watch"
	}
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	return verb + " " + resource + group, inNamespace
}

// readRights are the Roles of docs/rbac.md by section.
func readRights(t *testing.T) map[string][]map[string]any {
	t.Helper()
	page, err := os.ReadFile("../docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]map[string]any{}
	sections := regexp.MustCompile(`(?m)^## `).Split(string(page), -1)
	for _, section := range sections[1:] {
		title, text, _ := strings.Cut(section, "\n")
		for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
			var role map[string]any
			if err := yaml.Unmarshal([]byte(block[1]), &role); err != nil {
				t.Fatalf("docs/rbac.md, section %s: %v", title, err)
			}
			if role["kind"] == "Role" {
				out[title] = append(out[title], role)
			}
		}
	}
	return out
}

// granted are all single rights of Roles.
func granted(roles ...map[string]any) map[string]bool {
	out := map[string]bool{}
	for _, role := range roles {
		rules, _, _ := unstructured.NestedSlice(role, "rules")
		for _, rule := range rules {
			rule := rule.(map[string]any)
			for _, group := range texts(rule["apiGroups"]) {
				if group != "" {
					group = "." + group
				}
				for _, resource := range texts(rule["resources"]) {
					for _, verb := range texts(rule["verbs"]) {
						out[verb+" "+resource+group] = true
					}
				}
			}
		}
	}
	return out
}

func texts(list any) []string {
	var out []string
	items, _ := list.([]any)
	for _, item := range items {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

// serviceAccount makes one with those Roles and gives a token of it.
func (s *scene) serviceAccount(t *testing.T, programs string, roles []map[string]any) string {
	t.Helper()
	const name = "modest"
	rbac := schema.GroupVersion{Group: "rbac.authorization.k8s.io", Version: "v1"}
	create := func(resource schema.GroupVersionResource, obj map[string]any) {
		t.Helper()
		if _, err := s.objects.Resource(resource).Namespace(s.namespace).Create(t.Context(), &unstructured.Unstructured{Object: obj}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	create(serviceAccounts, map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": name}})
	for i, role := range roles {
		roleName := fmt.Sprint("modest-", i)
		create(rbac.WithResource("roles"), map[string]any{
			"apiVersion": rbac.String(), "kind": "Role", "metadata": map[string]any{"name": roleName}, "rules": role["rules"],
		})
		create(rbac.WithResource("rolebindings"), map[string]any{
			"apiVersion": rbac.String(), "kind": "RoleBinding", "metadata": map[string]any{"name": roleName},
			"roleRef":  map[string]any{"apiGroup": rbac.Group, "kind": "Role", "name": roleName},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": name, "namespace": s.namespace}},
		})
	}
	out, err := exec.Command(filepath.Join(programs, "kubectl"), "--kubeconfig", os.Getenv("PINTLE_E2E_KUBECONFIG"), "-n", s.namespace, "create", "token", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
