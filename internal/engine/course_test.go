package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/plan"
)

// courseLines is a course as text, times as distance from its start.
func courseLines(c ledger.Course) []string {
	at := func(t time.Time) string { return t.Sub(c.Operation.Started).Round(100 * time.Millisecond).String() }
	out := []string{fmt.Sprintf("%s of %s %d: %s at %s", c.Operation.Name, c.Release, c.Revision, c.Outcome, at(c.Ended))}
	for _, s := range c.Steps {
		line := fmt.Sprintf("%s: %s: %s", s.Block, s.Words, s.Outcome)
		if !s.Started.IsZero() {
			line += fmt.Sprintf(" %s-%s", at(s.Started), at(s.Ended))
		}
		for _, o := range s.Observed {
			line += fmt.Sprintf(" [%s %s %s]", at(o.Time), o.Object.Name, o.State)
		}
		out = append(out, line)
		for _, cause := range s.Causes {
			out = append(out, "  "+cause.Subject+" "+cause.Reason)
		}
	}
	return out
}

func TestCourseOfAnOperationIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, _ := withBook(b, engine.DefaultOptions())
		s.install(t, job("a", "pre-install", "")+web, plan.Options{Wait: true, Timeout: time.Minute}, nil)
		if len(b.courses) != 1 {
			t.Fatalf("%d courses", len(b.courses))
		}
		want := []string{
			"install of web 1: done at 2s",
			"prepare: record revision 1 as pending-install: done 0s-0s",
			"pre-install: run Job/shop/a, replacing what is there: done 0s-1s",
			"apply: create Deployment/shop/web: done 1s-1s",
			"wait: wait until ready: done 1s-2s",
			"record: record revision 1 as deployed: done 2s-2s",
		}
		got := courseLines(b.courses[0])
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], " [")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the course (-want +got):\n%s", diff)
		}
		if id := b.courses[0].Operation.ID; id == "" || id != b.runs[0].Operation.ID || b.courses[0].Operation.By != "ann@build" {
			t.Errorf("the operation is %+v", b.courses[0].Operation)
		}
		seen := b.courses[0].Steps[3].Observed
		if n := len(seen); n < 2 || seen[n-1].State != "ready" || seen[n-1].Object.Kind != "Deployment" {
			t.Errorf("seen while waiting: %+v", seen)
		}
	})
}

func TestCourseTellsWhatFailedAndWhatWasNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, _ := withBook(b, engine.DefaultOptions())
		s.Runs("Job/a", kubefake.Run{ExitCode: 3, Lines: []string{"no such table"}})
		s.install(t, job("a", "pre-install", "")+web, plan.Options{}, nil)
		c := b.courses[0]
		if c.Outcome != ledger.OutcomeFailed || c.Steps[1].Outcome != ledger.OutcomeFailed || c.Steps[2].Outcome != ledger.OutcomeSkipped || !c.Steps[2].Started.IsZero() {
			t.Errorf("the course is %s", strings.Join(courseLines(c), "\n"))
		}
		text := fmt.Sprintf("%+v", c.Steps[1].Causes)
		if !strings.Contains(text, "no such table") || c.Steps[1].Error == "" {
			t.Errorf("the causes are %s, the error %q", text, c.Steps[1].Error)
		}
	})
}

// TestRecordsAloneAreNoStory: what follows a failure only writes a record.
func TestRecordsAloneAreNoStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, _ := withBook(b, engine.DefaultOptions())
		s.engine.Run(t.Context(), plan.AfterFailure(plan.Install, plan.FailureInputs{Next: s.next, Recorded: true, Description: "it failed"}), nil)
		if len(b.courses) != 0 {
			t.Errorf("kept %+v", b.courses)
		}
	})
}
