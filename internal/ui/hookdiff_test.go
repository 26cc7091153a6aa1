package ui_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/ui"
)

func TestHookDiff(t *testing.T) {
	hook := func(name, text string) ui.HookText {
		return ui.HookText{Kind: "Job", Name: name, Text: text, Whole: text}
	}
	before := []ui.HookText{
		hook("same", "image: a\n"), hook("moved", "image: a:1\nname: x\nwait: yes\n"), hook("gone", "image: a\n"),
		{Kind: "Secret", Name: "same", Text: "password: ***\n", Whole: "password: one\n"},
	}
	after := []ui.HookText{
		hook("moved", "image: a:2\nname: x\nwait: yes"), hook("same", "\nimage: a"), hook("fresh", "image: b\n"),
		{Kind: "Secret", Name: "same", Text: "password: ***\n", Whole: "password: two\n"},
	}
	d := ui.DiffHooks(before, after)
	d.Release, d.From, d.To = "web", 2, 5
	var b strings.Builder
	if err := ui.WriteHookDiff(&b, d, ui.ListOptions{Format: ui.Table}); err != nil {
		t.Fatal(err)
	}
	want := `Job/moved changed
@@ -1,3 +1,3 @@
-image: a:1
+image: a:2
 name: x
 wait: yes
Job/gone removed
@@ -1,1 +0,0 @@
-image: a
Secret/same changed
  values differ that are not shown
Job/fresh added
@@ -0,0 +1,1 @@
+image: b
1 more are the same in revisions 2 and 5.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(b.String(), "two") {
		t.Error("a value of a Secret is shown")
	}
}

func TestHookDiffOfTheSame(t *testing.T) {
	for want, hooks := range map[string][]ui.HookText{"have no hooks": nil, "have the same hooks": {{Kind: "Job", Name: "a", Text: "x", Whole: "x"}}} {
		var b strings.Builder
		if err := ui.WriteHookDiff(&b, ui.DiffHooks(hooks, hooks), ui.ListOptions{Format: ui.Table}); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("got %q, error %v", b.String(), err)
		}
	}
}
