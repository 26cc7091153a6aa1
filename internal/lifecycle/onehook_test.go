package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// hookDoc is a hook of a kind, with its annotations.
func hookDoc(kind, name, annotations string) string {
	head := map[string]string{"Job": "batch/v1", "ConfigMap": "v1"}[kind]
	doc := "apiVersion: " + head + "\nkind: " + kind + "\nmetadata: {name: " + name + ", annotations: {" + annotations + "}}\n"
	switch kind {
	case "ConfigMap":
		doc += "data: {k: v}\n"
	case "Job":
		doc += "spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}\n"
	}
	return doc
}

func oneHook(hook string) lifecycle.HookOptions {
	return lifecycle.HookOptions{Name: "web", Namespace: "shop", Hook: hook, Plan: plan.Options{Timeout: time.Minute}}
}

func hookChart(t *testing.T) string {
	return writeChart(t, map[string]string{
		"a.yaml":     configMap("a", "1"),
		"files.yaml": hookDoc("ConfigMap", "files", `helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "-5", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"`),
		"one.yaml":   hookDoc("Job", "one", `helm.sh/hook: "pre-install,pre-upgrade"`),
		"two.yaml":   hookDoc("Job", "two", `helm.sh/hook: "pre-install,pre-upgrade"`),
		"three.yaml": hookDoc("ConfigMap", "three", `helm.sh/hook: pre-upgrade, helm.sh/hook-weight: "5"`),
	})
}

func TestRunHook(t *testing.T) {
	dir := hookChart(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		before := w.history(t)
		out, err := w.service.RunHook(t.Context(), oneHook("two"))
		if err != nil {
			t.Fatal(err)
		}
		var ran []string
		for _, r := range out.Result.Runs {
			ran = append(ran, string(r.Event)+" "+r.Object.Short()+" "+string(r.Phase))
		}
		// What it needs comes along: the ConfigMap before it, and not the Job beside it.
		if diff := cmp.Diff([]string{"pre-upgrade ConfigMap/files Succeeded", "pre-upgrade Job/two Succeeded"}, ran); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, w.history(t)); diff != "" {
			t.Errorf("the history has changed (-want +got):\n%s", diff)
		}
		if w.live("files") != nil {
			t.Error("the ConfigMap was not cleaned up")
		}
		rec, err := w.service.Records.Get(t.Context(), "web", 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range rec.Hooks {
			if h.Name == "two" && !h.LastRun.StartedAt.Equal(out.Result.Runs[1].Started) {
				t.Errorf("the record says that it ran at %s", h.LastRun.StartedAt)
			}
		}
	})
}

func TestRunHookThatFailsLeavesTheReleaseDeployed(t *testing.T) {
	dir := hookChart(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		w.Runs("Job/two", kubefake.Run{ExitCode: 1})
		_, err := w.service.RunHook(t.Context(), oneHook("Job/two"))
		var failed *lifecycle.Failed
		var hook *engine.HookError
		if !errors.As(err, &failed) || !errors.As(err, &hook) || failed.Operation != plan.RunOne {
			t.Fatalf("the error is %v", err)
		}
		if got := w.history(t); len(got) != 1 || !strings.HasPrefix(got[0], "1 deployed") {
			t.Errorf("the history is %q", got)
		}
	})
}

func TestRunHookRefuses(t *testing.T) {
	dir := hookChart(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.service.RunHook(t.Context(), oneHook("two")); !errors.Is(err, release.ErrNotFound) {
			t.Errorf("without a release the error is %v", err)
		}
		if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
			t.Fatal(err)
		}
		post := oneHook("two")
		post.Event = release.PostDelete
		for want, opts := range map[string]lifecycle.HookOptions{"has no hook nobody": oneHook("nobody"), "has no event post-delete": post} {
			if _, err := w.service.RunHook(t.Context(), opts); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v, not %q", err, want)
			}
		}
	})
}

func TestCleanHooks(t *testing.T) {
	dir := hookChart(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for _, op := range []plan.Operation{plan.Install, plan.Upgrade} {
			if _, err := w.deploy(t, op, dir, nil); err != nil {
				t.Fatal(err)
			}
		}
		preview := oneHook("")
		preview.DryRun = lifecycle.DryRunServer
		out, err := w.service.CleanHooks(t.Context(), preview)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, s := range out.DryRun.Plan.Steps {
			words = append(words, plan.Words(s.Action))
		}
		want := []string{"delete Job/shop/one", "delete Job/shop/two", "keep ConfigMap/shop/three: a hook made it; delete it by hand if it is not needed"}
		if diff := cmp.Diff(want, words); diff != "" {
			t.Errorf("the plan (-want +got):\n%s", diff)
		}
		changes := len(w.Changes())
		if out, err = w.service.CleanHooks(t.Context(), oneHook("")); err != nil || !out.Result.OK() {
			t.Fatal(err)
		}
		if got := len(w.Changes()) - changes; got != 2 || w.live("three") == nil || w.live("a") == nil {
			t.Errorf("%d changes; three is %v, a is %v", got, w.live("three"), w.live("a"))
		}
	})
}
