package ui

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// removed is an uninstall: what is kept, what is deleted, what is in another
// namespace, and one object that cannot be deleted.
func removed() []event.Event {
	del := func(r object.Ref) plan.Step {
		return plan.Step{ID: "delete/" + r.String(), Block: plan.BlockDelete, Action: plan.Delete{Ref: r}}
	}
	keep := plan.Step{ID: "keep", Block: plan.BlockDelete, Action: plan.Keep{Ref: ref("PersistentVolumeClaim", "data"), Why: "helm.sh/resource-policy: keep"}}
	far := object.Ref{Version: "v1", Kind: "Secret", Namespace: "monitoring", Name: "dashboard"}
	role := object.Ref{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole", Name: "storefront"}
	s := newStory(plan.Uninstall, plan.Step{ID: "namespace", Block: plan.BlockPrepare, Action: plan.CreateNamespace{Name: "shop"}},
		recordStep(release.Uninstalling), keep, del(web), del(far), del(role), del(ref("Service", "gone")), hookStep(release.PostDelete, ref("Pod", "bye")))
	s.do("namespace", 0, event.Unchanged, "exists")
	s.do("record/uninstalling", 0, event.Done, "")
	s.do("keep", 0, event.Unchanged, "kept: helm.sh/resource-policy: keep")
	s.do("delete/"+web.String(), 0, event.Done, "deleted")
	s.do("delete/"+far.String(), 0, event.Done, "deleted")
	s.start("delete/" + role.String())
	s.fail("delete/"+role.String(), errors.New(`delete ClusterRole/storefront: clusterroles "storefront" is forbidden`))
	s.do("delete/"+ref("Service", "gone").String(), 0, event.Unchanged, "already gone")
	s.skip("post-delete/Pod/bye")
	return s.end(true)
}

// flaky is a test that passes at its second attempt, and a namespace that
// cannot be made.
func flaky() []event.Event {
	s := newStory(plan.Test, hookStep(release.Test, test), hookStep(release.Test, ref("Pod", "other")))
	s.start("test/Pod/storefront-test")
	run := ledger.Run{Object: test, Attempt: 1, Phase: release.PhaseFailed, Started: start, Ended: start.Add(time.Second)}
	s.add(event.RunFinished{StepID: "test/Pod/storefront-test", Run: run, Causes: []health.Cause{{Subject: "container main", Message: "ended with exit code 1"}}})
	run.Attempt, run.Phase = 2, release.PhaseSucceeded
	s.add(event.RunFinished{StepID: "test/Pod/storefront-test", Run: run, Final: true})
	s.finish("test/Pod/storefront-test", event.Done, "")
	s.start("test/Pod/other")
	s.fail("test/Pod/other", errors.New("test Pod/shop/other failed: it was deleted before it had finished"))
	return s.end(true)
}

// TestOneThatIsReadyIsToldOnce: by the end of its step.
func TestOneThatIsReadyIsToldOnce(t *testing.T) {
	wait := waitStep(web)
	s := newStory(plan.Install, wait)
	s.start(wait.ID)
	s.observe(wait.ID, web, health.Status{State: health.InProgress, Message: "0 of 1 replicas ready"})
	s.wait(time.Second)
	s.observe(wait.ID, web, health.Status{State: health.Ready})
	s.finish(wait.ID, event.Done, "")
	text := play(s.end(false), DefaultOptions())
	if got := strings.Count(text, "ready  1.0s"); got != 1 || !strings.Contains(text, "0 of 1 replicas ready") {
		t.Errorf("told %d times:\n%s", got, text)
	}
}

func TestMoreStories(t *testing.T) {
	golden(t, "plain-uninstall", play(removed(), DefaultOptions()))
	golden(t, "plain-flaky", play(flaky(), DefaultOptions()))
}

// TestColorsDoNotMove: colours change no column.
func TestColorsDoNotMove(t *testing.T) {
	var plain, coloured bytes.Buffer
	for out, color := range map[*bytes.Buffer]bool{&plain: false, &coloured: true} {
		v := NewView(Streams{Out: out, Err: out, Color: color}, DefaultOptions())
		for _, e := range brokenMigration() {
			v.Sink(e)
		}
		v.Close()
	}
	if !bytes.Contains(coloured.Bytes(), []byte("\x1b[31m")) {
		t.Error("a failure has no colour")
	}
	var bare bytes.Buffer
	for _, l := range bytes.SplitAfter(coloured.Bytes(), []byte("\n")) {
		bare.WriteString(stripped(string(l)))
	}
	if bare.String() != plain.String() {
		t.Errorf("got\n%s\nwant\n%s", bare.String(), plain.String())
	}
}

func TestViewFitsTheStreams(t *testing.T) {
	var out bytes.Buffer
	for terminal, want := range map[bool]string{true: "*ui.Live", false: "*ui.Plain"} {
		v := NewView(Streams{Out: &out, IsTerminal: terminal}, DefaultOptions())
		v.Close()
		if got := typeName(v); got != want {
			t.Errorf("terminal %v: got %s", terminal, got)
		}
	}
}

func stripped(text string) string { return ansi.Strip(text) }

func typeName(v View) string { return fmt.Sprintf("%T", v) }
