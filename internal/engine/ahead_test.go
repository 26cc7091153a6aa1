package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/plan"
)

// Between a hook's end and the next one's creation nothing else is asked of the
// cluster: the watch for the next one is open by then.
func TestNextHookIsWatchedWhileTheOneBeforeRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/*", kubefake.Run{Lasts: 10 * time.Second})
		docs := job("a", "pre-install", "") + job("b", "pre-install", "") + job("c", "pre-install", "")
		if r := s.install(t, docs, plan.Options{}, nil); !r.OK() {
			t.Fatal(r.Failures[0])
		}
		var got []string
		for _, r := range s.Requests("watch", "create") {
			if r.Ref.Kind == "Job" {
				got = append(got, fmt.Sprintf("%s %s %s", r.Time.Sub(s.start).Truncate(time.Second), r.Verb, r.Ref.Name))
			}
		}
		want := lines(`
			0s watch a
			0s create a
			0s watch b
			10s create b
			10s watch c
			20s create c`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// What was opened for hooks that do not come to run is closed: the bubble of the
// test ends with no goroutine left.
func TestWatchForAHookThatDoesNotRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Runs("Job/a", kubefake.Run{ExitCode: 1})
		r := s.install(t, job("a", "pre-install", "")+job("b", "pre-install", ""), plan.Options{}, nil)
		if len(r.Failures) != 1 {
			t.Fatal(r.Failures)
		}
		watched := slices.ContainsFunc(s.Requests("watch"), func(r kubefake.Request) bool { return r.Ref.Name == "b" })
		created := slices.ContainsFunc(s.Requests("create"), func(r kubefake.Request) bool { return r.Ref.Name == "b" })
		if !watched || created {
			t.Error("b was watched:", watched, "created:", created)
		}
	})
}

// A watch that could not be opened ahead of time is tried again in its time.
func TestWatchThatFailedAheadIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.Refuse("watch", "Job/b", errors.New("not now"), 1)
		if r := s.install(t, job("a", "pre-install", "")+job("b", "pre-install", ""), plan.Options{}, nil); !r.OK() {
			t.Fatal(r.Failures[0])
		}
	})
}
