package kube_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// realCluster connects to the cluster that the environment names, in a
// namespace of the test's own.
func realCluster(t *testing.T) (*kube.Client, string) {
	t.Helper()
	path := os.Getenv("PINTLE_E2E_KUBECONFIG")
	if path == "" {
		t.Skip("PINTLE_E2E_KUBECONFIG names no cluster to test against")
	}
	name := strings.ToLower(fmt.Sprintf("kube-%s-%d", strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()), time.Now().UnixNano()%1e6))
	c, err := kube.Connect(kube.Options{Kubeconfig: path, Namespace: name})
	if err != nil {
		t.Fatal(err)
	}
	create(t, c, `{apiVersion: v1, kind: Namespace, metadata: {name: `+name+`}}`)
	t.Cleanup(func() {
		ref := object.Ref{Version: "v1", Kind: "Namespace", Name: name}
		if err := c.Delete(context.Background(), ref, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return c, name
}

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return obj
}

func create(t *testing.T, c *kube.Client, text string) *unstructured.Unstructured {
	t.Helper()
	obj, err := c.Create(t.Context(), parse(t, text), metav1.CreateOptions{FieldManager: kube.FieldManager})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func apply(t *testing.T, c *kube.Client, text string) *unstructured.Unstructured {
	t.Helper()
	obj, err := c.Apply(t.Context(), parse(t, text), metav1.PatchOptions{FieldManager: kube.FieldManager, FieldValidation: "Strict"})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestRealDiscovery(t *testing.T) {
	path := os.Getenv("PINTLE_E2E_KUBECONFIG")
	if path == "" {
		t.Skip("PINTLE_E2E_KUBECONFIG names no cluster to test against")
	}
	dir := t.TempDir()
	for _, run := range []string{"first", "kept"} {
		c, err := kube.Connect(kube.Options{Kubeconfig: path, CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		catalog, info, err := c.Discover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v, %s, %d versions", run, time.Since(start), info.GitVersion, len(catalog.APIVersions()))
		r, ok := catalog.FindKind(schema.GroupKind{Group: "apps", Kind: "Deployment"})
		if !ok || !r.Namespaced || r.Name != "deployments" {
			t.Errorf("%s: Deployment is %+v", run, r)
		}
		if got := c.Requests()["get"]; got != 3 {
			t.Errorf("%s: %d requests, want 3", run, got)
		}
	}
}

func TestRealJob(t *testing.T) {
	c, ns := realCluster(t)
	seen, err := c.Watch(t.Context(), []object.Target{
		{Group: "batch", Version: "v1", Kind: "Job", Namespace: ns, Name: "talk"},
		{Version: "v1", Kind: "Pod", Namespace: ns, Selector: "job-name=talk"},
	})
	if err != nil {
		t.Fatal(err)
	}
	create(t, c, `
apiVersion: batch/v1
kind: Job
metadata: {name: talk}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: busybox:1.36
        command: [sh, -c, 'for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; done; sleep 1; echo last']
`)
	lines := make(chan []string, 1)
	var ended time.Time
	following := false
	limit := time.After(time.Minute)
	for done := false; !done; {
		select {
		case o := <-seen:
			phase, _, _ := unstructured.NestedString(first(o.Object).Object, "status", "phase")
			t.Log(time.Now().Format("05.000"), o.Ref.Short(), phase, o.Gone)
			if o.Ref.Kind == "Pod" && phase == "Running" && !following {
				following = true
				go func() {
					var got []string
					err := c.Follow(t.Context(), o.Ref, "main", func(l ledger.Line) { got = append(got, l.Text) })
					if err != nil {
						got = append(got, err.Error())
					}
					ended = time.Now()
					lines <- got
				}()
			}
			conditions, _, _ := unstructured.NestedSlice(first(o.Object).Object, "status", "conditions")
			for _, cond := range conditions {
				done = done || cond.(map[string]any)["type"] == "Complete"
			}
		case <-limit:
			t.Fatal("the Job has not completed")
		}
	}
	complete := time.Now()
	got := <-lines
	t.Log("log ended", ended.Sub(complete), "after the Job; requests", c.Requests())
	if len(got) != 11 || got[0] != "line 1" || got[10] != "last" {
		t.Errorf("log: %q", got)
	}
	events, err := c.Events(t.Context(), object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: ns, Name: "talk"}, "")
	t.Log(events, err)
}

func first(obj *unstructured.Unstructured) *unstructured.Unstructured {
	if obj == nil {
		return &unstructured.Unstructured{Object: map[string]any{}}
	}
	return obj
}

func TestRealApplyAndSnapshot(t *testing.T) {
	c, ns := realCluster(t)
	var refs []object.Ref
	for i := range 20 {
		label := "{app.kubernetes.io/managed-by: Helm}"
		if i%10 == 3 {
			label = "{}"
		}
		obj := apply(t, c, fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d, labels: %s}, data: {n: "%d"}}`, i, label, i))
		refs = append(refs, object.RefOf(obj))
	}
	refs = append(refs, object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: ns, Name: "absent"},
		object.Ref{Group: "example.com", Version: "v1", Kind: "Widget", Namespace: ns, Name: "unserved"},
		object.Ref{Version: "v1", Kind: "Namespace", Name: ns})
	before := c.Requests()
	live, err := c.Snapshot(t.Context(), refs)
	if err != nil {
		t.Fatal(err)
	}
	if len(live) != 21 || live[refs[13].Key()] == nil || live[refs[22].Key()] == nil {
		t.Errorf("%d objects", len(live))
	}
	after := c.Requests()
	if lists, gets := after["list"]-before["list"], after["get"]-before["get"]; lists != 1 || gets != 4 {
		t.Errorf("%d lists, %d gets", lists, gets)
	}
	_, err = c.Apply(t.Context(), parse(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: c1}, dota: {}}`),
		metav1.PatchOptions{FieldManager: kube.FieldManager, FieldValidation: "Strict"})
	if err == nil || !strings.Contains(err.Error(), "dota") {
		t.Errorf("an unknown field: %v", err)
	}
	_, err = c.Get(t.Context(), refs[20])
	if !apierrors.IsNotFound(err) {
		t.Error(err)
	}
	ok, err := c.CanI(t.Context(), "create", schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, ns, "")
	if !ok || err != nil {
		t.Error(ok, err)
	}
	list, err := c.Lookup(t.Context(), "v1", "ConfigMap", ns, "")
	if err != nil || len(list["items"].([]any)) < 20 {
		t.Error(err)
	}
	none, err := c.Lookup(t.Context(), "v1", "Secret", ns, "nope")
	if err != nil || len(none) != 0 {
		t.Error(none, err)
	}
}

func TestRealCustomKind(t *testing.T) {
	c, ns := realCluster(t)
	group := ns + ".example.com"
	if _, _, err := c.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	crd := apply(t, c, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.`+group+`}
spec:
  group: `+group+`
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`)
	defer func() { _ = c.Delete(context.Background(), object.RefOf(crd), metav1.DeleteOptions{}) }()
	start := time.Now()
	apply(t, c, `{apiVersion: `+group+`/v1, kind: Widget, metadata: {name: w}}`)
	t.Log("served and applied after", time.Since(start))
}

func TestRealManagers(t *testing.T) {
	c, ns := realCluster(t)
	text := `{apiVersion: v1, kind: ConfigMap, metadata: {name: old, namespace: ` + ns + `}, data: {a: "1", b: "2"}}`
	live := create(t, c, text)
	if err := c.MigrateManagers(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	got := apply(t, c, `{apiVersion: v1, kind: ConfigMap, metadata: {name: old, namespace: `+ns+`}, data: {a: "3"}}`)
	if data, _, _ := unstructured.NestedStringMap(got.Object, "data"); data["a"] != "3" || data["b"] != "" {
		t.Errorf("data %v, managers %v", data, got.GetManagedFields())
	}
	before := c.Requests()
	if err := c.MigrateManagers(t.Context(), got); err != nil || c.Requests()["patch"] != before["patch"] {
		t.Error("migrated twice", err)
	}
}

func TestRealLeastPrivilege(t *testing.T) {
	admin, ns := realCluster(t)
	apply(t, admin, `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
`)
	apply(t, admin, `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: `+ns+`}]
`)
	c, err := kube.Connect(kube.Options{
		Kubeconfig: os.Getenv("PINTLE_E2E_KUBECONFIG"), Namespace: ns, AsUser: ns, AsGroups: []string{"system:authenticated"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var refs []object.Ref
	for i := range 6 {
		name := fmt.Sprint("c", i)
		refs = append(refs, object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: ns, Name: name})
		if i%2 == 0 {
			apply(t, admin, `{apiVersion: v1, kind: ConfigMap, metadata: {name: `+name+`}, data: {v: "1"}}`)
		}
	}
	// The authorizer of the API server learns of a new role a moment later.
	var live map[object.Key]*unstructured.Unstructured
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if live, err = c.Snapshot(t.Context(), refs); !apierrors.IsForbidden(err) {
			break
		}
	}
	if err != nil || len(live) != 3 {
		t.Errorf("%d objects, %v", len(live), err)
	}
	seen, err := c.Watch(t.Context(), []object.Target{object.TargetOf(refs[0])})
	if err != nil {
		t.Fatal(err)
	}
	<-seen
	apply(t, admin, `{apiVersion: v1, kind: ConfigMap, metadata: {name: c0}, data: {v: "2"}}`)
	o := <-seen
	if n, _, _ := unstructured.NestedString(o.Object.Object, "data", "v"); n != "2" {
		t.Errorf("saw %v", o.Object)
	}
	_, err = c.Get(t.Context(), object.Ref{Version: "v1", Kind: "Secret", Namespace: ns, Name: "s"})
	if !apierrors.IsForbidden(err) || !strings.HasPrefix(err.Error(), "get Secret/"+ns+"/s: ") {
		t.Errorf("%v", err)
	}
	if ok, err := c.CanI(t.Context(), "list", schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, ns, ""); ok || err != nil {
		t.Error(ok, err)
	}
}
