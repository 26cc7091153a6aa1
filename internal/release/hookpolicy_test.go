package release_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

func TestPolicies(t *testing.T) {
	bhc := []release.DeletePolicy{release.BeforeHookCreation}
	succeeded := []release.DeletePolicy{release.HookSucceeded}
	for _, tc := range []struct {
		apiVersion, kind, written string
		policies                  []release.DeletePolicy
		inPlace                   bool
	}{
		{"batch/v1", "Job", "", bhc, false},
		{"v1", "Pod", "", bhc, false},
		{"v1", "Secret", "", nil, true},
		{"v1", "Secret", `" , "`, nil, true},
		{"v1", "Secret", "before-hook-creation", bhc, false},
		{"v1", "ConfigMap", "hook-succeeded", succeeded, false},
		{"v1", "PersistentVolumeClaim", "", nil, true},
		{"v1", "Service", "", nil, true},
		{"serving.knative.dev/v1", "Service", "", bhc, false},
		{"apps/v1", "Deployment", "", nil, true},
		{"apps/v1", "StatefulSet", "", bhc, false},
		{"rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", nil, true},
		{"batch/v1", "Job", "hook-succeeded", succeeded, false},
		{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "", nil, true},
		{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "before-hook-creation,hook-succeeded", nil, true},
	} {
		manifest := fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata:\n  name: x\n  annotations:\n    helm.sh/hook: pre-install\n    helm.sh/hook-delete-policy: %s\n",
			tc.apiVersion, tc.kind, tc.written)
		// Helm's record holds the default as if it had been written.
		recorded := &release.Hook{Kind: tc.kind, Manifest: manifest, DeletePolicies: bhc}
		obj, err := recorded.Parse()
		if err != nil {
			t.Fatal(err)
		}
		parsed, problems := release.ParseHook(recorded.Document(), obj)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		unread := &release.Hook{Kind: tc.kind, Manifest: manifest, DeletePolicies: bhc}
		for how, h := range map[string]*release.Hook{"parsed": parsed, "recorded": recorded, "unread": unread} {
			name := fmt.Sprintf("%s %s with %q, %s", tc.apiVersion, tc.kind, tc.written, how)
			if diff := cmp.Diff(tc.policies, h.Policies()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if h.InPlace() != tc.inPlace {
				t.Errorf("%s: in place is %v", name, h.InPlace())
			}
			if want := len(tc.policies) == 1 && tc.policies[0] == release.BeforeHookCreation; h.Replaces() != want {
				t.Errorf("%s: replaces is %v", name, h.Replaces())
			}
		}
	}
}

func TestOptions(t *testing.T) {
	doc := hookDoc(`helm.sh/hook: test`, `pintle.dev/timeout: 2m`, `pintle.dev/retries: "3"`, `pintle.dev/parallel: "true"`,
		`pintle.dev/suite: " auth "`, `pintle.dev/irreversible: "true"`, `pintle.dev/always: "true"`)
	h := &release.Hook{Manifest: doc.Text}
	want := release.Options{Timeout: 2 * time.Minute, Retries: 3, Parallel: true, Suite: "auth", Irreversible: true, Always: true}
	if got := h.Options(); got != want {
		t.Errorf("options are %+v, want %+v", got, want)
	}
	bad := &release.Hook{Manifest: hookDoc(`pintle.dev/timeout: "-1s"`, `pintle.dev/retries: x`, `pintle.dev/always: "yes"`).Text}
	if got := bad.Options(); got != (release.Options{}) {
		t.Errorf("values without a meaning gave %+v", got)
	}
	if got := (&release.Hook{Manifest: ":\n:"}).Options(); got != (release.Options{}) {
		t.Errorf("a broken manifest gave %+v", got)
	}
}

func TestSortHooks(t *testing.T) {
	hooks := []*release.Hook{
		{Name: "b", Kind: "Job", Weight: 0, Path: "1"},
		{Name: "gate", Kind: "Job", Weight: -5, Path: "2"},
		{Name: "gate", Kind: "ClusterRoleBinding", Weight: -5, Path: "3"},
		{Name: "gate", Kind: "ServiceAccount", Weight: -5, Path: "4"},
		{Name: "gate", Kind: "ClusterRole", Weight: -5, Path: "5"},
		{Name: "a", Kind: "Job", Weight: 0, Path: "6"},
		{Name: "a", Kind: "Job", Weight: 0, Path: "7"},
		{Name: "a", Kind: "Widget", Weight: 0, Path: "8"},
		{Name: "z", Kind: "Job", Weight: -10, Path: "9"},
	}
	for _, h := range hooks {
		h.Events = []release.Event{release.PreInstall}
	}
	hooks[0].Events = []release.Event{release.PreInstall, release.Test}
	order := func(hooks []*release.Hook) (paths string) {
		for _, h := range hooks {
			paths += h.Path
		}
		return paths
	}
	if got := order(release.SortHooks(hooks)); got != "945326781" {
		t.Errorf("order is %s", got)
	}
	if got := order(hooks); got != "123456789" {
		t.Errorf("the given slice was changed to %s", got)
	}
	rel := &release.Release{Hooks: hooks}
	if got := order(rel.HooksOn(release.Test)); got != "1" {
		t.Errorf("tests are %s", got)
	}
}

func TestHookParseReportsItsManifest(t *testing.T) {
	_, err := (&release.Hook{Path: "c/templates/j.yaml", Manifest: "kind: Job\n bad: [\n"}).Parse()
	var pe *object.ParseError
	if !errors.As(err, &pe) || pe.Source != "c/templates/j.yaml" {
		t.Errorf("got %v", err)
	}
}
