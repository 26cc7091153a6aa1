package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// listed notes lists of metadata too.
type listed struct{ *shelf }

func (l listed) ListMetadata(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]metav1.PartialObjectMetadata, error) {
	if err := l.note("list metadata", nil); err != nil {
		return nil, err
	}
	return l.shelf.ListMetadata(ctx, gvr, namespace, selector)
}

// The end of an operation waits for one request: all that is read, and what is
// kept no longer, is seen to ahead of it.
func TestEndOfAnOperationIsOneRequest(t *testing.T) {
	old := newShelf(1)
	must(t, old.book().Append(t.Context(), []ledger.Run{run(1, 1, "migrate", release.PreInstall)}))
	must(t, old.book().Detach(t.Context(), "web", 1))
	old.records, old.now = map[int]string{1: "another"}, noon.Add(8*24*time.Hour)

	b := ledger.NewBook(listed{old}, old, "shop", func() time.Time { return old.now }, ledger.DefaultBounds())
	b.Begin(t.Context(), "web", 1)
	expect(t, "what is left after a week", []string{}, old.names(t))
	old.asked = nil
	must(t, b.Conclude(t.Context(), course(1, 2, "apply"), nil))
	expect(t, "requests at the end", []string{"create"}, old.asked)

	// Who does not prepare tidies with the write.
	old.asked = nil
	must(t, ledger.NewBook(listed{old}, old, "shop", func() time.Time { return old.now }, ledger.DefaultBounds()).Conclude(t.Context(), course(1, 3, "apply"), nil))
	slices.Sort(old.asked)
	expect(t, "requests without a beginning", []string{"list", "list metadata", "list metadata", "update"}, old.asked)
}
