package kubefake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var (
	_ engine.Applier     = (*kubefake.Cluster)(nil)
	_ engine.Watcher     = (*kubefake.Cluster)(nil)
	_ engine.LogStreamer = (*kubefake.Cluster)(nil)
	_ engine.EventReader = (*kubefake.Cluster)(nil)
)

const job = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: default}
spec: {template: {spec: {containers: [{name: psql}]}}}
`

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	return obj
}

// story describes what a watch saw, a line each.
type story struct {
	start time.Time
	lines []string
}

func (s *story) tell(o object.Observation) {
	line := fmt.Sprintf("%4dms %s", time.Since(s.start).Milliseconds(), o.Ref.Short())
	if o.Object != nil {
		if phase, _, _ := unstructured.NestedString(o.Object.Object, "status", "phase"); phase != "" {
			line += " " + phase
		}
		conditions, _, _ := unstructured.NestedSlice(o.Object.Object, "status", "conditions")
		for _, c := range conditions {
			if m := c.(map[string]any); m["status"] == "True" && (m["type"] == "Complete" || m["type"] == "Failed" || m["type"] == "Available") {
				line += fmt.Sprintf(" %s", m["type"])
			}
		}
	}
	if o.Gone {
		line += " gone"
	}
	s.lines = append(s.lines, line)
}

func watch(t *testing.T, c *kubefake.Cluster, targets ...object.Target) *story {
	t.Helper()
	seen, err := c.Watch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	s := &story{start: time.Now()}
	go func() {
		for o := range seen {
			s.tell(o)
		}
	}()
	return s
}

func TestJobRuns(t *testing.T) {
	tests := map[string]struct {
		run  kubefake.Run
		want string
	}{
		"succeeds": {
			kubefake.Run{Lasts: 2 * time.Second},
			`0ms Job/migrate gone;0ms Job/migrate;0ms Job/migrate;0ms Pod/migrate-1;0ms Pod/migrate-1 Pending;0ms Pod/migrate-1 Running;` +
				`2000ms Pod/migrate-1 Succeeded;2010ms Job/migrate Complete`,
		},
		"fails twice": {
			kubefake.Run{Lasts: time.Second, ExitCode: 3, Pods: 2},
			`0ms Job/migrate gone;0ms Job/migrate;0ms Job/migrate;0ms Pod/migrate-1;0ms Pod/migrate-1 Pending;0ms Pod/migrate-1 Running;` +
				`1000ms Pod/migrate-1 Failed;1010ms Job/migrate;2010ms Pod/migrate-2;2010ms Pod/migrate-2 Pending;2010ms Pod/migrate-2 Running;` +
				`3010ms Pod/migrate-2 Failed;3020ms Job/migrate;3020ms Job/migrate Failed`,
		},
		"vanishes": {
			kubefake.Run{Vanishes: true},
			`0ms Job/migrate gone;0ms Job/migrate;0ms Job/migrate;0ms Pod/migrate-1;0ms Pod/migrate-1 Pending;0ms Pod/migrate-1 Running;` +
				`1000ms Pod/migrate-1 Succeeded;1010ms Job/migrate Complete;1010ms Job/migrate Complete gone;1010ms Pod/migrate-1 Succeeded gone`,
		},
		"never starts": {
			kubefake.Run{Waiting: "ImagePullBackOff"},
			`0ms Job/migrate gone;0ms Job/migrate;0ms Job/migrate;0ms Pod/migrate-1;0ms Pod/migrate-1 Pending`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := kubefake.New()
				c.Runs("Job/migrate", tt.run)
				s := watch(t, c,
					object.Target{Group: "batch", Version: "v1", Kind: "Job", Namespace: "default", Name: "migrate"},
					object.Target{Version: "v1", Kind: "Pod", Namespace: "default", Selector: "job-name=migrate"})
				if _, err := c.Create(t.Context(), parse(t, job), metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				var got []string
				for _, l := range s.lines {
					got = append(got, strings.TrimSpace(l))
				}
				if diff := cmp.Diff(strings.Split(tt.want, ";"), got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestFollowReadsToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kubefake.New()
		c.Runs("Job/*", kubefake.Run{Lasts: 3 * time.Second, Lines: []string{"one", "two"}})
		if _, err := c.Create(t.Context(), parse(t, job), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		var got []string
		start := time.Now()
		err := c.Follow(t.Context(), object.Ref{Version: "v1", Kind: "Pod", Namespace: "default", Name: "migrate-1"}, "psql", func(l ledger.Line) {
			got = append(got, fmt.Sprint(l.Text, " ", time.Since(start)))
		})
		if err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("ended after %v: %v", time.Since(start), err)
		}
		if diff := cmp.Diff([]string{"one 1s", "two 2s"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestApplyMergesAndDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kubefake.New()
		apply := func(text string) *unstructured.Unstructured {
			obj, err := c.Apply(t.Context(), parse(t, text), metav1.PatchOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return obj
		}
		first := apply(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1", y: "2"}}`)
		c.Update(object.RefOf(first), func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, "theirs", "data", "z")
		})
		second := apply(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "3"}}`)
		if diff := cmp.Diff(map[string]any{"x": "3", "z": "theirs"}, second.Object["data"]); diff != "" {
			t.Error(diff)
		}
		third := apply(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "3"}}`)
		if third.GetResourceVersion() != second.GetResourceVersion() || third.GetUID() != first.GetUID() {
			t.Error("an apply that changes nothing made a new version")
		}
	})
}

func TestRefusalsAndMissingNamespace(t *testing.T) {
	c := kubefake.New("prod")
	boom := errors.New("boom")
	c.Refuse("patch", "ConfigMap/a*", boom, 1)
	obj := parse(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: prod}}`)
	_, err := c.Apply(t.Context(), obj, metav1.PatchOptions{})
	var refused *object.RequestError
	if !errors.As(err, &refused) || refused.Ref.String() != "ConfigMap/prod/a" || !errors.Is(err, boom) {
		t.Errorf("refused with %v", err)
	}
	if _, err := c.Apply(t.Context(), obj, metav1.PatchOptions{}); err != nil {
		t.Errorf("the refusal was for one request: %v", err)
	}
	obj.SetNamespace("nowhere")
	if _, err := c.Apply(t.Context(), obj, metav1.PatchOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("missing namespace: %v", err)
	}
	want := []string{"patch ConfigMap/prod/a", "patch ConfigMap/prod/a", "patch ConfigMap/nowhere/a"}
	if diff := cmp.Diff(want, c.Changes()); diff != "" {
		t.Error(diff)
	}
}

func TestDeletionLingersAndTakesDependents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kubefake.New()
		c.Runs("Job/*", kubefake.Run{Hangs: true})
		c.Lingers("Job/*", 5*time.Second)
		created, err := c.Create(t.Context(), parse(t, job), metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ref := object.RefOf(created)
		if err := c.Delete(t.Context(), ref, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if live := c.Peek(ref); live == nil || live.GetDeletionTimestamp() == nil {
			t.Fatal("it should be on its way out")
		}
		time.Sleep(6 * time.Second)
		pod := object.Ref{Version: "v1", Kind: "Pod", Namespace: "default", Name: "migrate-1"}
		if c.Peek(ref) != nil || c.Peek(pod) != nil {
			t.Error("the Job or its pod is still there")
		}
	})
}

func TestWorkloadsAndDefinitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kubefake.New()
		c.Becomes("Deployment/bad", kubefake.Rollout{After: 3 * time.Second, Fails: "ProgressDeadlineExceeded"})
		s := watch(t, c, object.Target{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "default"})
		for _, name := range []string{"good", "bad"} {
			obj := parse(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: `+name+`}, spec: {replicas: 2}}`)
			if _, err := c.Apply(t.Context(), obj, metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		widget := parse(t, `{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}`)
		if _, err := c.Apply(t.Context(), widget, metav1.PatchOptions{}); err == nil {
			t.Error("an unknown kind was applied")
		}
		crd := parse(t, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: [{name: v1}]}`)
		if _, err := c.Apply(t.Context(), crd, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if _, err := c.Apply(t.Context(), widget, metav1.PatchOptions{}); err != nil {
			t.Errorf("after its definition was established: %v", err)
		}
		synctest.Wait()
		want := []string{"   0ms Deployment/good", "   0ms Deployment/bad", "1000ms Deployment/good Available", "3000ms Deployment/bad"}
		if diff := cmp.Diff(want, s.lines); diff != "" {
			t.Error(diff)
		}
	})
}
