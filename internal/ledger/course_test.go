package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
)

// course is that of the operation which run makes, with a step for each word.
func course(revision, operation int, words ...string) ledger.Course {
	r := run(revision, operation, "x", release.PreUpgrade)
	c := ledger.Course{
		Release: "web", Namespace: "shop", Revision: revision, Operation: r.Operation,
		Ended: r.Started.Add(time.Minute), Outcome: ledger.OutcomeFailed,
	}
	for _, w := range words {
		c.Steps = append(c.Steps, ledger.Step{
			ID: w, Block: "apply", Words: w, Started: r.Started, Ended: c.Ended, Outcome: ledger.OutcomeDone,
			Causes:   []ledger.Cause{{Subject: "Job/shop/x", Lines: []string{"oh"}, Children: []ledger.Cause{{Subject: "Pod/shop/x-1"}}}},
			Observed: []ledger.Observation{{Time: r.Started, State: "ready"}},
		})
	}
	return c
}

func TestConcludeWritesOnceWithTheLastRuns(t *testing.T) {
	s := newShelf(1)
	b := s.book()
	must(t, b.Append(t.Context(), []ledger.Run{run(1, 1, "migrate", release.PreInstall)}))
	s.asked = nil
	want := course(1, 1, "create Deployment/shop/web")
	must(t, b.Conclude(t.Context(), want, []ledger.Run{run(1, 1, "notify", release.PostInstall)}))
	expect(t, "requests", []string{"update"}, s.asked)
	story, err := s.book().ReadStory(t.Context(), ledger.Wanted{Release: "web"})
	must(t, err)
	if len(story.Runs) != 2 || len(story.Courses) != 1 {
		t.Fatalf("read %d runs and %d courses", len(story.Runs), len(story.Courses))
	}
	if diff := cmp.Diff(want, story.Courses[0]); diff != "" {
		t.Errorf("the course (-want +got):\n%s", diff)
	}
}

func TestConcludeTwiceIsReadOnce(t *testing.T) {
	s := newShelf(1)
	for range 2 {
		must(t, s.book().Conclude(t.Context(), course(1, 2, "b"), nil))
		must(t, s.book().Conclude(t.Context(), course(1, 1, "a"), nil))
	}
	story, err := s.book().ReadStory(t.Context(), ledger.Wanted{Release: "web", Revision: 1})
	must(t, err)
	if len(story.Courses) != 2 || story.Courses[0].Steps[0].ID != "a" {
		t.Errorf("read %+v", story.Courses)
	}
}

func TestLongCourseIsShortened(t *testing.T) {
	bounds := ledger.DefaultBounds()
	bounds.Part = 8 << 10
	words := make([]string, 2000)
	for i := range words {
		words[i] = fmt.Sprintf("%x", i*7919*7919) // does not compress well
	}
	s := newShelf(1)
	b := s.book(bounds)
	must(t, b.Conclude(t.Context(), course(1, 1, words...), []ledger.Run{run(1, 1, "migrate", release.PreInstall, strings.Repeat("long ", 100))}))
	story, err := b.ReadStory(t.Context(), ledger.Wanted{Release: "web"})
	must(t, err)
	if len(story.Runs) != 1 || len(story.Courses) != 1 {
		t.Fatalf("read %d runs and %d courses", len(story.Runs), len(story.Courses))
	}
	if n := len(story.Courses[0].Steps); n == 0 || n >= len(words) || story.Courses[0].Outcome != ledger.OutcomeFailed {
		t.Errorf("%d steps are left", n)
	}
}
