package plan_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var update = flag.Bool("update", false, "write the plans that came out into testdata")

// TestPlans reads every story in testdata: YAML of what is wanted, recorded and
// live goes in, the plan's text comes out. The first line of a story's comment
// is "operation: options".
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d stories: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := story(t, archive)
			want := section(archive, "plan")
			if *update {
				setSection(archive, "plan", got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
		})
	}
}

func story(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	head, _, _ := strings.Cut(string(a.Comment), "\n")
	op, options, _ := strings.Cut(head, ":")
	next := &release.Release{Name: "web", Namespace: "shop", Revision: 2, Info: release.Info{Status: release.Deployed, RollbackRevision: 1}}
	old := &release.Release{Name: "web", Namespace: "shop", Revision: 1, Info: release.Info{Status: release.Deployed}}
	in := plan.Inputs{Next: next, Live: map[object.Key]*unstructured.Unstructured{}, Options: readOptions(t, options)}
	in.Wanted, in.Hooks = content(t, section(a, "wanted"))
	in.Recorded, _ = content(t, section(a, "recorded"))
	in.CRDs, _ = content(t, section(a, "crds"))
	for _, o := range parse(t, section(a, "live")) {
		in.Live[o.Ref().Key()] = o.Object
	}
	for _, o := range parse(t, section(a, "dead")) {
		if o.Object.GetLabels()["is"] == "running" {
			in.Orphans = append(in.Orphans, o.Ref())
		}
		in.Remains = append(in.Remains, plan.Remains{Revision: 1, Object: o.Object})
	}
	if plan.Operation(op) != plan.Install {
		in.Supersede = []*release.Release{old}
	}
	switch plan.Operation(op) {
	case plan.Uninstall:
		in.Forget = []*release.Release{old, next}
		for _, o := range parse(t, section(a, "left")) {
			in.Leftover = append(in.Leftover, plan.Leftover{Object: o.Object, Finished: o.Object.GetLabels()["is"] == "finished", Foreign: o.Object.GetLabels()["is"] == "foreign"})
		}
		return plan.BuildUninstall(in).String()
	case plan.Test:
		return plan.BuildTest(in).String()
	case plan.Install:
		next.Revision = 1
	}
	return plan.Build(plan.Operation(op), in).String()
}

func readOptions(t *testing.T, words string) plan.Options {
	t.Helper()
	o := plan.Options{Timeout: 5 * time.Minute}
	for _, w := range strings.Fields(words) {
		switch w {
		case "wait":
			o.Wait = true
		case "no-hooks":
			o.NoHooks = true
		case "create-namespace":
			o.CreateNamespace = true
		case "take-ownership":
			o.TakeOwnership = true
		case "keep-history":
			o.KeepHistory = true
		case "purge-hooks":
			o.PurgeHooks = true
		case "test":
			o.Tests.Run = true
		case "fail-fast":
			o.Tests.FailFast = true
		case "parallel":
			o.Tests.Parallel = 5
		default:
			t.Fatalf("unknown option %q", w)
		}
	}
	return o
}

// content tells hooks from ordinary objects, which it marks as the release's.
func content(t *testing.T, text string) ([]object.Parsed, []plan.Hook) {
	t.Helper()
	var objects []object.Parsed
	var hooks []plan.Hook
	for _, p := range parse(t, text) {
		if release.IsHook(p.Object) {
			h, problems := release.ParseHook(p.Document, p.Object)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			hooks = append(hooks, plan.Hook{Hook: h, Object: p.Object, Steering: h.Options()})
			continue
		}
		if !p.Ref().IsCRD() {
			object.Own(p.Object, "web", "shop")
		}
		objects = append(objects, p)
	}
	return objects, hooks
}

func parse(t *testing.T, text string) []object.Parsed {
	t.Helper()
	parsed, err := object.ParseAll(object.SplitFile("web/templates/all.yaml", text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func section(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func setSection(a *txtar.Archive, name, text string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(text)
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
}

// TestStepIDsAreUnique guards the promise that an ID names one step.
func TestStepIDsAreUnique(t *testing.T) {
	var docs strings.Builder
	for _, kind := range []string{"ConfigMap", "Secret"} {
		for i := range 3 {
			fmt.Fprintf(&docs, "---\napiVersion: v1\nkind: %s\nmetadata: {name: c%d, namespace: shop}\n", kind, i)
			fmt.Fprintf(&docs, "---\napiVersion: v1\nkind: %s\nmetadata: {name: h%d, namespace: shop, annotations: {helm.sh/hook: 'pre-install,post-install,test', helm.sh/hook-delete-policy: hook-succeeded}}\n", kind, i)
		}
	}
	next := &release.Release{Name: "web", Namespace: "shop", Revision: 1}
	in := plan.Inputs{Next: next, Options: plan.Options{Wait: true, Tests: plan.TestOptions{Run: true}}}
	in.Wanted, in.Hooks = content(t, docs.String())
	seen := map[string]bool{}
	stage := 0
	for _, s := range plan.Build(plan.Install, in).Steps {
		if seen[s.ID] {
			t.Errorf("two steps have the ID %s", s.ID)
		}
		if s.Stage < stage {
			t.Errorf("step %s is in stage %d after stage %d", s.ID, s.Stage, stage)
		}
		seen[s.ID], stage = true, s.Stage
	}
	if len(seen) < 30 {
		t.Errorf("the plan has only %d steps", len(seen))
	}
}
