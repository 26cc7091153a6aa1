package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

var (
	secrets = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// shelf is a namespace with records, by UID, and a clock.
type shelf struct {
	*store.Memory
	records map[int]string
	now     time.Time

	mu     sync.Mutex
	before func(verb string, obj *unstructured.Unstructured) error
	asked  []string
}

func newShelf(revisions ...int) *shelf {
	s := &shelf{Memory: store.NewMemory(), records: map[int]string{}, now: noon}
	for _, n := range revisions {
		s.records[n] = fmt.Sprintf("record-%d", n)
	}
	return s
}

func (s *shelf) Owner(_ context.Context, name string, revision int) (*metav1.OwnerReference, error) {
	uid, ok := s.records[revision]
	if !ok {
		return nil, fmt.Errorf("revision %d: %w", revision, release.ErrNotFound)
	}
	if uid == "" {
		return nil, nil
	}
	return &metav1.OwnerReference{APIVersion: "v1", Kind: "Secret", Name: fmt.Sprintf("sh.helm.release.v1.%s.v%d", name, revision), UID: types.UID(uid)}, nil
}

func (s *shelf) note(verb string, obj *unstructured.Unstructured) error {
	s.mu.Lock()
	s.asked = append(s.asked, verb)
	before := s.before
	s.mu.Unlock()
	if before != nil {
		return before(verb, obj)
	}
	return nil
}

func (s *shelf) Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if err := s.note("create", obj); err != nil {
		return nil, err
	}
	return s.Memory.Create(ctx, gvr, obj)
}

func (s *shelf) Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if err := s.note("update", obj); err != nil {
		return nil, err
	}
	return s.Memory.Update(ctx, gvr, obj)
}

func (s *shelf) List(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]unstructured.Unstructured, error) {
	if err := s.note("list", nil); err != nil {
		return nil, err
	}
	return s.Memory.List(ctx, gvr, namespace, selector)
}

// book opens the shelf as a run of Pintle does.
func (s *shelf) book(bounds ...ledger.Bounds) *ledger.Book {
	b := ledger.DefaultBounds()
	if len(bounds) > 0 {
		b = bounds[0]
	}
	return ledger.NewBook(s, s, "shop", func() time.Time { return s.now }, b)
}

// names are the stored parts.
func (s *shelf) names(t *testing.T) []string {
	t.Helper()
	found, err := s.Memory.List(t.Context(), secrets, "shop", "owner=pintle,kind=ledger")
	must(t, err)
	names := []string{}
	for _, obj := range found {
		names = append(names, obj.GetName())
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run is one that an operation, numbered by time, made.
func run(revision, operation int, hook string, event release.Event, lines ...string) ledger.Run {
	started := noon.Add(time.Duration(operation) * time.Minute)
	log := ledger.Log{Limits: ledger.DefaultLimits()}
	for _, l := range lines {
		log.Add(ledger.Line{Time: started, Text: l})
	}
	return ledger.Run{
		Release: "web", Namespace: "shop", Revision: revision,
		Operation: ledger.Operation{ID: fmt.Sprintf("op%d", operation), Name: "upgrade", Started: started},
		Event:     event, Hook: hook, Attempt: 1, Phase: release.PhaseSucceeded, Started: started, Ended: started.Add(time.Second),
		Object: object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: "shop", Name: hook},
		Pods:   []ledger.Pod{{Name: hook + "-1", Containers: []ledger.Container{{Name: "main", Log: log}}}},
	}
}

// story is what is read, a line for each run.
func story(t *testing.T, b *ledger.Book, w ledger.Wanted) []string {
	t.Helper()
	w.Release = "web"
	runs, err := b.Read(t.Context(), w)
	must(t, err)
	out := []string{}
	for _, r := range runs {
		out = append(out, fmt.Sprintf("%d %s %s", r.Revision, r.Operation.ID, r.Hook))
	}
	return out
}

func expect(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestAppendAndRead(t *testing.T) {
	s := newShelf(1, 2)
	b := s.book()
	must(t, b.Append(t.Context(), []ledger.Run{run(1, 1, "migrate", release.PreInstall, "hello"), run(1, 1, "check", release.Test)}))
	must(t, b.Append(t.Context(), []ledger.Run{run(1, 1, "notify", release.PostInstall)}))
	must(t, s.book().Append(t.Context(), []ledger.Run{run(2, 2, "migrate", release.PreUpgrade)}))
	must(t, s.book().Append(t.Context(), []ledger.Run{run(1, 3, "check", release.Test)}))
	expect(t, "all", []string{"1 op1 migrate", "1 op1 check", "1 op1 notify", "2 op2 migrate", "1 op3 check"}, story(t, b, ledger.Wanted{}))
	expect(t, "one revision", []string{"2 op2 migrate"}, story(t, b, ledger.Wanted{Revision: 2}))
	expect(t, "objects", []string{"pintle.ledger.v1.web.v1", "pintle.ledger.v1.web.v2"}, s.names(t))
	obj, err := s.Get(t.Context(), secrets, "shop", "pintle.ledger.v1.web.v1")
	must(t, err)
	labels := map[string]string{"owner": "pintle", "kind": "ledger", "name": "web", "version": "1", "pintle.dev/record": "record-1"}
	if diff := cmp.Diff(labels, obj.GetLabels()); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	owners := obj.GetOwnerReferences()
	if len(owners) != 1 || owners[0].UID != "record-1" || owners[0].BlockOwnerDeletion != nil || obj.Object["type"] != "pintle.dev/ledger.v1" {
		t.Errorf("the object is %v", obj.Object["metadata"])
	}
	runs, err := b.Read(t.Context(), ledger.Wanted{Release: "web", Revision: 1})
	must(t, err)
	if last := runs[0].Pods[0].Containers[0].Log.Last(1); len(last) != 1 || last[0].Text != "hello" {
		t.Errorf("the log is %v", last)
	}
}

// TestTwoRunsAtOnceLoseNothing lets many books append to one revision side by side.
func TestTwoRunsAtOnceLoseNothing(t *testing.T) {
	s := newShelf(1)
	var group sync.WaitGroup
	want := map[string]bool{}
	for i := range 6 {
		b := s.book()
		for k := range 3 {
			want[fmt.Sprintf("hook-%d-%d", i, k)] = true
		}
		group.Go(func() {
			for k := range 3 {
				r := run(1, i*10+k, fmt.Sprintf("hook-%d-%d", i, k), release.PreUpgrade)
				for b.Append(t.Context(), []ledger.Run{r}) != nil { // conflicts only: the engine tries again too
				}
			}
		})
	}
	group.Wait()
	runs, err := s.book().Read(t.Context(), ledger.Wanted{Release: "web"})
	must(t, err)
	for _, r := range runs {
		delete(want, r.Hook)
	}
	if len(want) > 0 || len(runs) != 18 {
		t.Errorf("%d runs; lost: %v", len(runs), want)
	}
}

func TestAppendGoesOnAfterAConflict(t *testing.T) {
	s := newShelf(1)
	ours, theirs := s.book(), s.book()
	must(t, ours.Append(t.Context(), []ledger.Run{run(1, 1, "a", release.PreUpgrade)}))
	must(t, theirs.Append(t.Context(), []ledger.Run{run(1, 2, "b", release.PreUpgrade)}))
	must(t, ours.Append(t.Context(), []ledger.Run{run(1, 1, "c", release.PostUpgrade)}))
	expect(t, "all", []string{"1 op1 a", "1 op1 c", "1 op2 b"}, story(t, ours, ledger.Wanted{}))
}

// TestLostAnswer: the network lets a write arrive twice.
func TestLostAnswer(t *testing.T) {
	s := newShelf(1)
	twice := true
	s.before = func(verb string, obj *unstructured.Unstructured) error {
		if !twice || verb != "create" && verb != "update" {
			return nil
		}
		twice = false
		if verb == "create" {
			_, err := s.Memory.Create(t.Context(), secrets, obj)
			return err
		}
		_, err := s.Memory.Update(t.Context(), secrets, obj)
		return err
	}
	b := s.book()
	must(t, b.Append(t.Context(), []ledger.Run{run(1, 1, "a", release.PreUpgrade)}))
	twice = true
	must(t, b.Append(t.Context(), []ledger.Run{run(1, 1, "b", release.PreUpgrade)}))
	expect(t, "all", []string{"1 op1 a", "1 op1 b"}, story(t, b, ledger.Wanted{}))
}

func TestRefusalIsToldOnceAndNotTriedAgain(t *testing.T) {
	s := newShelf(1)
	s.before = func(string, *unstructured.Unstructured) error {
		return apierrors.NewForbidden(secrets.GroupResource(), "x", errors.New("no rights"))
	}
	b := s.book()
	err := b.Append(t.Context(), []ledger.Run{run(1, 1, "a", release.PreUpgrade)})
	var failed *ledger.WriteError
	if !errors.As(err, &failed) || !failed.Lasting || !strings.Contains(err.Error(), "no rights") {
		t.Fatalf("got %v", err)
	}
	asked := len(s.asked)
	if err := b.Append(t.Context(), []ledger.Run{run(1, 1, "b", release.PreUpgrade)}); err != nil || len(s.asked) != asked {
		t.Errorf("after the refusal: %v, %d more requests", err, len(s.asked)-asked)
	}
	if err := b.Append(t.Context(), []ledger.Run{run(2, 1, "b", release.PreUpgrade)}); err == nil {
		t.Error("the refusal of one revision's ledger hides that of another")
	}
}

func TestTemporaryFailureIsTriedAgain(t *testing.T) {
	s := newShelf(1)
	s.before = func(string, *unstructured.Unstructured) error {
		return apierrors.NewInternalError(errors.New("etcd is away"))
	}
	b := s.book()
	runs := []ledger.Run{run(1, 1, "a", release.PreUpgrade)}
	var failed *ledger.WriteError
	if err := b.Append(t.Context(), runs); !errors.As(err, &failed) || failed.Lasting {
		t.Fatalf("got %v", err)
	}
	s.before = nil
	must(t, b.Append(t.Context(), runs))
	expect(t, "all", []string{"1 op1 a"}, story(t, b, ledger.Wanted{}))
}

func noise(n int) string {
	out := make([]byte, n)
	seed := uint32(n)
	for i := range out {
		seed = seed*1664525 + 1013904223
		out[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"[seed>>26]
	}
	return string(out)
}

func small() ledger.Bounds {
	b := ledger.DefaultBounds()
	b.Part, b.Revision, b.Tests = 4000, 12000, 3
	return b
}

func TestLongLedgersAreDivided(t *testing.T) {
	s := newShelf(1)
	b := s.book(small())
	for i := range 4 {
		must(t, b.Append(t.Context(), []ledger.Run{run(1, 1, fmt.Sprintf("hook%d", i), release.PreUpgrade, noise(2500))}))
	}
	expect(t, "objects", []string{"pintle.ledger.v1.web.v1", "pintle.ledger.v1.web.v1.2", "pintle.ledger.v1.web.v1.3", "pintle.ledger.v1.web.v1.4"}, s.names(t))
	expect(t, "all", []string{"1 op1 hook0", "1 op1 hook1", "1 op1 hook2", "1 op1 hook3"}, story(t, b, ledger.Wanted{}))
	// The revision is full: what an operation wrote earlier goes for what it writes now.
	for i := range 6 {
		must(t, b.Append(t.Context(), []ledger.Run{run(1, 2, fmt.Sprintf("more%d", i), release.PreUpgrade, noise(2500))}))
	}
	got := story(t, b, ledger.Wanted{})
	if !strings.Contains(strings.Join(got, ","), "op2 more5") || strings.Contains(strings.Join(got, ","), "hook0") {
		t.Errorf("it holds %v", got)
	}
	size := 0
	found, err := s.Memory.List(t.Context(), secrets, "shop", "")
	must(t, err)
	for _, obj := range found {
		data, _, _ := unstructured.NestedString(obj.Object, "data", "ledger")
		size += len(data) * 3 / 4
	}
	if size > 12100 {
		t.Errorf("the revision takes %d bytes", size)
	}
}

func TestOldTestRunsGoAndHooksStay(t *testing.T) {
	s := newShelf(1)
	must(t, s.book(small()).Append(t.Context(), []ledger.Run{run(1, 0, "migrate", release.PreInstall), run(1, 0, "check", release.Test)}))
	for i := 1; i <= 5; i++ {
		must(t, s.book(small()).Append(t.Context(), []ledger.Run{run(1, i, "check", release.Test), run(1, i, "other", release.Test)}))
	}
	expect(t, "all", []string{
		"1 op0 migrate", "1 op3 check", "1 op3 other", "1 op4 check", "1 op4 other", "1 op5 check", "1 op5 other",
	}, story(t, s.book(), ledger.Wanted{}))
}

func TestDetachedLedgerIsKeptForAWeek(t *testing.T) {
	s := newShelf(1)
	b := s.book()
	must(t, b.Append(t.Context(), []ledger.Run{run(1, 1, "migrate", release.PreInstall)}))
	must(t, b.Detach(t.Context(), "web", 1))
	must(t, b.Detach(t.Context(), "web", 7)) // never written
	obj, err := s.Get(t.Context(), secrets, "shop", "pintle.ledger.v1.web.v1")
	must(t, err)
	if len(obj.GetOwnerReferences()) != 0 {
		t.Error("it still has an owner")
	}
	expect(t, "the living", []string{}, story(t, b, ledger.Wanted{}))
	expect(t, "the dead", []string{"1 op1 migrate"}, story(t, b, ledger.Wanted{Detached: true}))

	// The name is taken anew: another record, whose ledger does not mix with the old one.
	s.records[1], s.now = "record-1-again", noon.Add(time.Hour)
	again := s.book()
	must(t, again.Append(t.Context(), []ledger.Run{run(1, 2, "migrate", release.PreInstall)}))
	expect(t, "objects", []string{"pintle.ledger.v1.web.v1", "pintle.ledger.v1.web.v1.2"}, s.names(t))
	expect(t, "the living", []string{"1 op2 migrate"}, story(t, again, ledger.Wanted{}))
	must(t, again.Detach(t.Context(), "web", 1))
	expect(t, "the last life", []string{"1 op2 migrate"}, story(t, again, ledger.Wanted{Detached: true}))

	s.records[1], s.now = "record-1-third", noon.Add(7*24*time.Hour+time.Minute)
	must(t, s.book().Append(t.Context(), []ledger.Run{run(1, 3, "migrate", release.PreInstall)}))
	expect(t, "after a week", []string{"pintle.ledger.v1.web.v1.2", "pintle.ledger.v1.web.v1.3"}, s.names(t))
}

func TestRunsWithoutARecordAreKept(t *testing.T) {
	s := newShelf()
	b := s.book()
	must(t, b.Append(t.Context(), []ledger.Run{run(4, 1, "bye", release.PostDelete)}))
	must(t, b.Append(t.Context(), []ledger.Run{run(4, 1, "late", release.PostDelete)}))
	expect(t, "the dead", []string{"4 op1 bye", "4 op1 late"}, story(t, b, ledger.Wanted{Detached: true}))
}

func TestRunThatWasLeftRunningIsReadWithItsEnd(t *testing.T) {
	s := newShelf(4)
	b := s.book()
	left, ended := run(4, 1, "migrate", release.PreUpgrade), run(4, 1, "migrate", release.PreUpgrade)
	left.Phase, left.Reason = release.PhaseRunning, "Interrupted"
	must(t, b.Append(t.Context(), []ledger.Run{left, run(4, 1, "other", release.PreUpgrade)}))
	must(t, b.Append(t.Context(), []ledger.Run{ended}))
	must(t, b.Append(t.Context(), []ledger.Run{left}))
	runs, err := b.Read(t.Context(), ledger.Wanted{Release: "web", Revision: 4})
	must(t, err)
	if len(runs) != 2 || runs[0].Hook != "migrate" || runs[0].Phase != ended.Phase || runs[0].Reason != "" {
		t.Errorf("read %+v", runs)
	}
}

func TestWithoutOwnersTheNumberOfRevisionsIsBounded(t *testing.T) {
	s := newShelf()
	bounds := ledger.DefaultBounds()
	bounds.Unowned = 2
	for n := 1; n <= 4; n++ {
		s.records[n] = "" // a record that is no object
		must(t, s.book(bounds).Append(t.Context(), []ledger.Run{run(n, n, "migrate", release.PreUpgrade)}))
	}
	expect(t, "objects", []string{"pintle.ledger.v1.web.v3", "pintle.ledger.v1.web.v4"}, s.names(t))
}

func TestTooManyPartsOfOldRevisionsGo(t *testing.T) {
	s := newShelf(1, 2, 3)
	bounds := small()
	bounds.Parts = 4
	for n := 1; n <= 3; n++ {
		b := s.book(bounds)
		must(t, b.Append(t.Context(), []ledger.Run{
			run(n, n, "a", release.PreUpgrade, noise(3000)), run(n, n, "b", release.PreUpgrade, noise(3100)),
		}))
	}
	expect(t, "objects", []string{"pintle.ledger.v1.web.v2", "pintle.ledger.v1.web.v2.2", "pintle.ledger.v1.web.v3", "pintle.ledger.v1.web.v3.2"}, s.names(t))
}

func TestKnows(t *testing.T) {
	s := newShelf(1)
	r := run(1, 1, "migrate", release.PreInstall)
	r.UID = "uid-1"
	must(t, s.book().Append(t.Context(), []ledger.Run{r}))
	for _, uid := range []string{"uid-1", "uid-2"} {
		known, err := s.book().Knows(t.Context(), "web", uid)
		must(t, err)
		if known != (uid == "uid-1") {
			t.Errorf("%s: %v", uid, known)
		}
	}
	must(t, s.book().Detach(t.Context(), "web", 1))
	if known, err := s.book().Knows(t.Context(), "web", "uid-1"); err != nil || !known {
		t.Errorf("after its record is gone: %v, %v", known, err)
	}
	if known, err := s.book().Knows(t.Context(), "other", "uid-1"); err != nil || known {
		t.Errorf("of another release: %v, %v", known, err)
	}
}

func TestDamagedPartsAreLeftAlone(t *testing.T) {
	s := newShelf(1)
	must(t, s.book().Append(t.Context(), []ledger.Run{run(1, 1, "a", release.PreUpgrade)}))
	obj, err := s.Get(t.Context(), secrets, "shop", "pintle.ledger.v1.web.v1")
	must(t, err)
	obj.Object["data"] = map[string]any{"ledger": "bm9uc2Vuc2U="}
	_, err = s.Memory.Update(t.Context(), secrets, obj)
	must(t, err)
	must(t, s.book().Append(t.Context(), []ledger.Run{run(1, 2, "b", release.PreUpgrade)}))
	runs, err := s.book().Read(t.Context(), ledger.Wanted{Release: "web"})
	if len(runs) != 1 || runs[0].Hook != "b" || err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("read %v, %v", runs, err)
	}
	expect(t, "objects", []string{"pintle.ledger.v1.web.v1", "pintle.ledger.v1.web.v1.2"}, s.names(t))
}
