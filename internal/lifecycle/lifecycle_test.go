package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release/store"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// world is a scripted cluster with records in memory and the service on them.
type world struct {
	*kubefake.Cluster
	records *store.Store
	service *lifecycle.Service

	mu      sync.Mutex
	notices []string
}

func (w *world) Lookup(context.Context, string, string, string, string) (map[string]any, error) {
	return map[string]any{}, nil
}

func newWorld() *world {
	w := &world{Cluster: kubefake.New("shop"), records: store.NewSecrets(store.NewMemory(), "shop", time.Now)}
	w.service = &lifecycle.Service{
		Cluster: w, Records: w.records, Now: time.Now, Engine: engine.DefaultOptions(),
		Sink: func(e event.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if n, ok := e.(event.Notice); ok {
				w.notices = append(w.notices, n.Problem.Summary)
			}
		},
	}
	return w
}

// writeChart makes a chart folder of templates, by name.
func writeChart(t *testing.T, templates map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "web")
	files := map[string]string{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: '7'\n"}
	for name, text := range templates {
		if !strings.Contains(name, "/") && name != "values.yaml" {
			name = "templates/" + name
		}
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (w *world) deploy(t *testing.T, op plan.Operation, dir string, change func(*lifecycle.DeployOptions)) (*lifecycle.Outcome, error) {
	t.Helper()
	opts := lifecycle.DeployOptions{
		Name: "web", Namespace: "shop", Chart: dir, HistoryMax: 10,
		Plan: plan.Options{Timeout: time.Minute, Wait: true},
	}
	if change != nil {
		change(&opts)
	}
	if op == plan.Install {
		return w.service.Install(t.Context(), opts)
	}
	return w.service.Upgrade(t.Context(), opts)
}

// history is "revision status: description" for each revision.
func (w *world) history(t *testing.T) []string {
	t.Helper()
	all, err := w.records.History(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range all {
		out = append(out, fmt.Sprintf("%d %s: %s", r.Revision, r.Info.Status, r.Info.Description))
	}
	return out
}

func (w *world) expectHistory(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.history(t)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func configMap(name, data string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {k: %q}\n", name, data)
}

const failing = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}\nspec: {template: {spec: {containers: [{name: m, image: x}]}}}\n"

func (w *world) live(name string) map[string]any {
	u := w.Peek(object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: name})
	if u == nil {
		return nil
	}
	data, _ := u.Object["data"].(map[string]any)
	return data
}

func TestInstallUpgradePruneUninstall(t *testing.T) {
	one := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "b.yaml": configMap("b", "1")})
	two := writeChart(t, map[string]string{"a.yaml": configMap("a", "2"), "c.yaml": configMap("c", "{{ .Release.Revision }}")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.deploy(t, plan.Install, one, nil); err != nil {
			t.Fatal(err)
		}
		out, err := w.deploy(t, plan.Upgrade, two, nil)
		if err != nil {
			t.Fatal(err)
		}
		if out.Release.Revision != 2 || w.live("a")["k"] != "2" || w.live("b") != nil || w.live("c")["k"] != "2" {
			t.Errorf("after the upgrade: revision %d, a=%v b=%v c=%v", out.Release.Revision, w.live("a"), w.live("b"), w.live("c"))
		}
		w.expectHistory(t, "1 superseded: Install complete", "2 deployed: Upgrade complete")
		if _, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"}); err != nil {
			t.Fatal(err)
		}
		if w.live("a") != nil || len(w.history(t)) != 0 {
			t.Errorf("something is left: a=%v, history %v", w.live("a"), w.history(t))
		}
	})
}

func TestFailedUpgradeRollsBack(t *testing.T) {
	one := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	two := writeChart(t, map[string]string{"a.yaml": configMap("a", "2"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Job/migrate", kubefake.Run{ExitCode: 1})
		if _, err := w.deploy(t, plan.Install, one, nil); err != nil {
			t.Fatal(err)
		}
		_, err := w.deploy(t, plan.Upgrade, two, func(o *lifecycle.DeployOptions) { o.RollbackOnFailure = true })
		var failed *lifecycle.Failed
		var hook *engine.HookError
		if !errors.As(err, &failed) || failed.Rollback != lifecycle.RolledBack || !errors.As(err, &hook) {
			t.Fatalf("the error is %v", err)
		}
		if w.live("a")["k"] != "1" {
			t.Errorf("a is %v", w.live("a"))
		}
		got := w.history(t)
		if len(got) != 3 || got[0] != "1 superseded: Install complete" || !strings.HasPrefix(got[1], `2 failed: Upgrade "web" failed: pre-upgrade hook Job/shop/migrate failed`) || got[2] != "3 deployed: Rollback to 1" {
			t.Errorf("history: %q", got)
		}
	})
}

func TestFailedInstallRemovesItself(t *testing.T) {
	dir := writeChart(t, map[string]string{
		"a.yaml": configMap("a", "1"),
		"m.yaml": strings.Replace(failing, "pre-upgrade", "post-install", 1),
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Job/migrate", kubefake.Run{ExitCode: 1})
		_, err := w.deploy(t, plan.Install, dir, func(o *lifecycle.DeployOptions) { o.RollbackOnFailure = true })
		var failed *lifecycle.Failed
		if !errors.As(err, &failed) || failed.Rollback != lifecycle.RolledBack {
			t.Fatalf("the error is %v", err)
		}
		if w.live("a") != nil || len(w.history(t)) != 0 {
			t.Errorf("something is left: %v %v", w.live("a"), w.history(t))
		}
	})
}

func TestFailedUpgradeIsPrunedByTheNext(t *testing.T) {
	one := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	two := writeChart(t, map[string]string{"a.yaml": configMap("a", "2"), "b.yaml": configMap("b", "1"), "m.yaml": strings.Replace(failing, "pre-upgrade", "post-upgrade", 1)})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Job/migrate", kubefake.Run{ExitCode: 1})
		if _, err := w.deploy(t, plan.Install, one, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := w.deploy(t, plan.Upgrade, two, nil); err == nil {
			t.Fatal("the upgrade passed")
		}
		if _, err := w.deploy(t, plan.Upgrade, one, nil); err != nil {
			t.Fatal(err)
		}
		if w.live("b") != nil {
			t.Error("what the failed revision brought is left behind")
		}
	})
}

func TestRefusedBeforeAnythingIsTouched(t *testing.T) {
	tests := map[string]struct {
		templates map[string]string
		change    func(*lifecycle.DeployOptions)
		says      string
		at        string
	}{
		"misspelt event":    {map[string]string{"m.yaml": strings.Replace(failing, "pre-upgrade", "pre-instal", 1)}, nil, `"pre-instal" is not a hook event`, "web/templates/m.yaml:3 (rendered)"},
		"bad weight":        {map[string]string{"m.yaml": strings.Replace(failing, "pre-upgrade", "pre-install, helm.sh/hook-weight: ten", 1)}, nil, "must be a whole number", "web/templates/m.yaml:3 (rendered)"},
		"bad policy":        {map[string]string{"m.yaml": strings.Replace(failing, "pre-upgrade", "pre-install, helm.sh/hook-delete-policy: hook-suceeded", 1)}, nil, "is not a delete policy", "web/templates/m.yaml:3 (rendered)"},
		"unknown kind":      {map[string]string{"k.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\n"}, nil, "the cluster does not serve kind Thing", "web/templates/k.yaml:1 (rendered)"},
		"missing namespace": {map[string]string{"a.yaml": configMap("a", "1")}, func(o *lifecycle.DeployOptions) { o.Namespace = "nowhere" }, "namespace nowhere does not exist", ""},
		"bad name":          {map[string]string{"a.yaml": configMap("a", "1")}, func(o *lifecycle.DeployOptions) { o.Name = "Web_1" }, "Web_1", ""},
		"no chart":          {nil, func(o *lifecycle.DeployOptions) { o.Chart = "./not-here" }, "not-here", ""},
		"bad values":        {map[string]string{"a.yaml": configMap("a", "1")}, func(o *lifecycle.DeployOptions) { o.Values = chart.ValuesOptions{Set: []string{"a[x]=1"}} }, "--set", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := writeChart(t, tt.templates)
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				_, err := w.deploy(t, plan.Install, dir, func(o *lifecycle.DeployOptions) {
					o.Chart = dir
					if tt.change != nil {
						tt.change(o)
					}
				})
				var refused *lifecycle.Refused
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.says) {
					t.Fatalf("the error is %v", err)
				}
				problems := diag.Problems(err)
				if len(problems) == 0 || tt.at != "" && problems[0].Position() != tt.at {
					t.Errorf("the problems are %+v", problems)
				}
				if changes := w.Changes(); len(changes) > 0 || len(w.history(t)) > 0 {
					t.Errorf("touched: %v %v", changes, w.history(t))
				}
			})
		})
	}
}

func TestForeignObjectsAreNotTaken(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		foreign, err := object.Parse(object.Document{Text: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {k: theirs}\n"})
		if err != nil {
			t.Fatal(err)
		}
		w.Seed(foreign)
		if _, err := w.deploy(t, plan.Install, dir, nil); err == nil || !strings.Contains(err.Error(), "not part of this release") || w.live("a")["k"] != "theirs" {
			t.Fatalf("error %v, a is %v", err, w.live("a"))
		}
		if _, err := w.deploy(t, plan.Install, dir, func(o *lifecycle.DeployOptions) { o.Plan.TakeOwnership = true }); err != nil || w.live("a")["k"] != "1" {
			t.Fatalf("error %v, a is %v", err, w.live("a"))
		}
	})
}

func TestFailedPreDeleteLeavesTheReleaseDeployed(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": strings.Replace(failing, "pre-upgrade", "pre-delete", 1)})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Job/migrate", kubefake.Run{ExitCode: 1}, kubefake.Run{})
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"}); err == nil {
			t.Fatal("the uninstall passed")
		}
		if got := w.history(t); len(got) != 1 || !strings.HasPrefix(got[0], `1 deployed: Uninstall "web" failed`) || w.live("a") == nil {
			t.Errorf("history %q, a %v", got, w.live("a"))
		}
		if _, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop"}); err != nil || w.live("a") != nil {
			t.Errorf("the second uninstall: %v, a %v", err, w.live("a"))
		}
	})
}

func TestHistoryLimit(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "{{ .Release.Revision }}")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if _, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.HistoryMax = 3 }); err != nil {
				t.Fatal(err)
			}
		}
		w.expectHistory(t, "3 superseded: Upgrade complete", "4 superseded: Upgrade complete", "5 deployed: Upgrade complete")
	})
}

func TestInterruptedUpgradeIsRecorded(t *testing.T) {
	one := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	two := writeChart(t, map[string]string{"a.yaml": configMap("a", "2"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Job/migrate", kubefake.Run{Hangs: true})
		if _, err := w.deploy(t, plan.Install, one, nil); err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		w.service.Signals.Stop = stop
		time.AfterFunc(3*time.Second, func() { close(stop) })
		_, err := w.deploy(t, plan.Upgrade, two, nil)
		var failed *lifecycle.Failed
		if !errors.As(err, &failed) || !failed.Interrupted || !errors.Is(err, engine.ErrInterrupted) {
			t.Fatalf("the error is %v", err)
		}
		if got := w.history(t); len(got) != 2 || !strings.HasPrefix(got[1], "2 failed: ") || w.live("a")["k"] != "1" {
			t.Errorf("history %q, a %v", got, w.live("a"))
		}
	})
}

func TestDryRunTouchesNothing(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": strings.Replace(failing, "pre-upgrade", "pre-install", 1)})
	for name, mode := range map[string]lifecycle.DryRunMode{"client": lifecycle.DryRunClient, "server": lifecycle.DryRunServer} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				out, err := w.deploy(t, plan.Install, dir, func(o *lifecycle.DeployOptions) { o.DryRun = mode })
				if err != nil || out.DryRun == nil || len(out.Release.Hooks) != 1 || !strings.Contains(out.Release.Manifest, "kind: ConfigMap") {
					t.Fatalf("out %+v, error %v", out, err)
				}
				if changes := w.Changes(); len(changes) > 0 || len(w.history(t)) > 0 {
					t.Errorf("touched: %v %v", changes, w.history(t))
				}
			})
		})
	}
}

func TestRollbackPicksTheLastGoodRevision(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "{{ .Release.Revision }}")})
	bad := writeChart(t, map[string]string{"a.yaml": configMap("a", "bad"), "m.yaml": failing})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Job/migrate", kubefake.Run{ExitCode: 1})
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := w.deploy(t, plan.Upgrade, bad, nil); err == nil {
			t.Fatal("the bad upgrade passed")
		}
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		out, err := w.service.Rollback(t.Context(), lifecycle.RollbackOptions{Name: "web", Namespace: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		if out.Release.Info.RollbackRevision != 1 || w.live("a")["k"] != "1" {
			t.Errorf("back at %d, a is %v", out.Release.Info.RollbackRevision, w.live("a"))
		}
		if want := "revision 1 is the last good one before 3; revision 2 is failed"; len(w.notices) == 0 || w.notices[len(w.notices)-1] != want {
			t.Errorf("it said %q, want %q", w.notices, want)
		}
	})
}

func TestNoRollbackPastWhatCannotBeUndone(t *testing.T) {
	one := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	two := writeChart(t, map[string]string{
		"a.yaml": configMap("a", "2"),
		"m.yaml": strings.Replace(failing, "pre-upgrade", `pre-upgrade, pintle.dev/irreversible: "true"`, 1),
		"n.yaml": strings.Replace(strings.Replace(failing, "pre-upgrade", "post-upgrade", 1), "migrate", "check", 1),
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Runs("Job/check", kubefake.Run{ExitCode: 1})
		if _, err := w.deploy(t, plan.Install, one, nil); err != nil {
			t.Fatal(err)
		}
		_, err := w.deploy(t, plan.Upgrade, two, func(o *lifecycle.DeployOptions) { o.RollbackOnFailure = true })
		var failed *lifecycle.Failed
		var refused *lifecycle.IrreversibleError
		if !errors.As(err, &failed) || failed.Rollback != lifecycle.RollbackFailed || !errors.As(failed.RollbackErr, &refused) || refused.Hook != "Job/migrate" {
			t.Fatalf("the error is %v", err)
		}
		if w.live("a")["k"] != "2" || len(w.history(t)) != 2 {
			t.Errorf("a is %v, history %v", w.live("a"), w.history(t))
		}
	})
}

func TestRollbackToPrevious(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "{{ .Release.Revision }}")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for op, n := plan.Install, 0; n < 3; op, n = plan.Upgrade, n+1 {
			if _, err := w.deploy(t, op, dir, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.service.Rollback(t.Context(), lifecycle.RollbackOptions{Name: "web", Namespace: "shop", Revision: 9}); err == nil || !strings.Contains(err.Error(), "no revision 9") {
			t.Errorf("the error is %v", err)
		}
		out, err := w.service.Rollback(t.Context(), lifecycle.RollbackOptions{Name: "web", Namespace: "shop", ToPrevious: true})
		if err != nil || out.Release.Info.RollbackRevision != 2 {
			t.Fatalf("back at %+v, error %v", out, err)
		}
	})
}

func TestUpgradeThatWouldChangeNothing(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "m.yaml": strings.Replace(failing, "pre-upgrade", "post-upgrade", 1)})
	skip := func(o *lifecycle.DeployOptions) { o.SkipNoOp = true }
	owned := func(w *world) {
		w.Update(object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "a"}, func(obj *unstructured.Unstructured) {
			obj.SetManagedFields([]metav1.ManagedFieldsEntry{{
				Manager: "helm", Operation: metav1.ManagedFieldsOperationApply, APIVersion: "v1",
				FieldsV1: metav1.NewFieldsV1(`{"f:data":{"f:k":{}},"f:metadata":{"f:labels":{"f:app.kubernetes.io/managed-by":{}},` +
					`"f:annotations":{"f:meta.helm.sh/release-name":{},"f:meta.helm.sh/release-namespace":{}}}}`),
			}})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		owned(w)
		out, err := w.deploy(t, plan.Upgrade, dir, skip)
		if err != nil || !out.NoOp || len(w.history(t)) != 1 {
			t.Fatalf("out %+v, error %v, history %v", out, err, w.history(t))
		}
		for name, change := range map[string]func(*lifecycle.DeployOptions){
			"values": func(o *lifecycle.DeployOptions) {
				o.SkipNoOp = true
				o.Values = chart.ValuesOptions{Set: []string{"x=" + fmt.Sprint(len(w.history(t)))}}
			},
			"asked": func(o *lifecycle.DeployOptions) {},
		} {
			if out, err := w.deploy(t, plan.Upgrade, dir, change); err != nil || out.NoOp {
				t.Errorf("%s: out %+v, error %v", name, out, err)
			}
		}
		owned(w)
		w.Update(object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "a"}, func(obj *unstructured.Unstructured) {
			obj.Object["data"] = map[string]any{"k": "drifted"}
		})
		if out, err := w.deploy(t, plan.Upgrade, dir, skip); err != nil || out.NoOp || w.live("a")["k"] != "1" {
			t.Errorf("drift: out %+v, error %v, a %v", out, err, w.live("a"))
		}
	})
}

func TestRecordedVersionThatIsNoLongerServed(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1"), "p.yaml": "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: p}\nspec: {minAvailable: 1}\n"})
	next := writeChart(t, map[string]string{"a.yaml": configMap("a", "2")})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		old := schema.GroupVersionKind{Group: "policy", Version: "v1beta1", Kind: "PodDisruptionBudget"}
		_, err := w.deploy(t, plan.Install, dir, nil)
		if err == nil || !strings.Contains(err.Error(), "it serves policy/v1") {
			t.Fatalf("version %s was taken: %v", old.Version, err)
		}
		// The record was written when the cluster still served the old version.
		if _, err := w.deploy(t, plan.Install, next, nil); err != nil {
			t.Fatal(err)
		}
		rec, err := w.records.Get(t.Context(), "web", 1)
		if err != nil {
			t.Fatal(err)
		}
		rec.Manifest += "---\n# Source: web/templates/p.yaml\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: p}\nspec: {minAvailable: 1}\n"
		if err := w.records.Update(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		live, err := object.Parse(object.Document{Text: "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: p, namespace: shop}\n"})
		if err != nil {
			t.Fatal(err)
		}
		object.Own(live, "web", "shop")
		w.Seed(live)
		if _, err := w.deploy(t, plan.Upgrade, next, nil); err != nil {
			t.Fatal(err)
		}
		if w.Peek(object.RefOf(live)) != nil {
			t.Error("the object of the old version was not pruned")
		}
	})
}
