package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/object"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// pods is an API server for the pods of one namespace.
type pods struct {
	mu      sync.Mutex
	version int
	live    map[string]map[string]any
	// events are those that a watch can still go back to.
	events []podEvent
	// changed is closed at each event.
	changed chan struct{}
	// cut breaks all watches off when it is closed.
	cut chan struct{}
	// refuse, if set, answers instead.
	refuse func(w http.ResponseWriter, watch bool) bool
}

type podEvent struct {
	version int
	kind    string
	object  map[string]any
}

func newPods() *pods {
	return &pods{live: map[string]map[string]any{}, changed: make(chan struct{}), cut: make(chan struct{})}
}

// set stores a pod under a UID; an empty one deletes it. When lost, no watch
// will ever tell.
func (p *pods) set(name, uid, phase string, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	kind := "MODIFIED"
	obj := map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{
		"name": name, "namespace": "ns", "uid": uid, "resourceVersion": fmt.Sprint(p.version),
		"managedFields": []any{map[string]any{"manager": "kubelet"}},
	}, "status": map[string]any{"phase": phase}}
	if uid == "" {
		kind, obj = "DELETED", p.live[name]
		delete(p.live, name)
	} else {
		if p.live[name] == nil {
			kind = "ADDED"
		}
		p.live[name] = obj
	}
	if !lost {
		p.events = append(p.events, podEvent{p.version, kind, obj})
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pods) breakOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.cut)
	p.cut = make(chan struct{})
}

// expire forgets the events so far.
func (p *pods) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	p.events = []podEvent{{version: p.version, kind: "EXPIRED"}}
}

func (p *pods) serve(w http.ResponseWriter, r *http.Request) {
	if discovery(w, r) {
		return
	}
	watch := r.URL.Query().Get("watch") == "true"
	if p.refuse != nil && p.refuse(w, watch) {
		return
	}
	name := strings.TrimPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	if _, single, ok := strings.Cut(r.URL.Path, "/pods/"); ok {
		p.get(w, single)
		return
	}
	if !watch {
		p.list(w, name)
		return
	}
	var from int
	_, _ = fmt.Sscan(r.URL.Query().Get("resourceVersion"), &from)
	var seconds int
	_, _ = fmt.Sscan(r.URL.Query().Get("timeoutSeconds"), &seconds)
	p.watch(r.Context(), w, from, name, time.After(time.Duration(seconds)*time.Second))
}

func (p *pods) get(w http.ResponseWriter, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live[name] == nil {
		refuse(w, 404, metav1.StatusReasonNotFound, "none")
		return
	}
	reply(w, p.live[name])
}

func (p *pods) list(w http.ResponseWriter, name string) {
	p.mu.Lock()
	items := []any{}
	for n, obj := range p.live {
		if name == "" || n == name {
			items = append(items, obj)
		}
	}
	version := p.version
	p.mu.Unlock()
	reply(w, map[string]any{"apiVersion": "v1", "kind": "PodList", "metadata": map[string]any{"resourceVersion": fmt.Sprint(version)}, "items": items})
}

func (p *pods) watch(ctx context.Context, w http.ResponseWriter, from int, name string, over <-chan time.Time) {
	w.WriteHeader(http.StatusOK)
	for {
		p.mu.Lock()
		events, changed, cut := slices.Clone(p.events), p.changed, p.cut
		p.mu.Unlock()
		for _, e := range events {
			if e.kind == "EXPIRED" {
				if from < e.version {
					_ = json.NewEncoder(w).Encode(map[string]any{"type": "ERROR", "object": metav1.Status{Code: 410, Reason: metav1.StatusReasonExpired}})
					return
				}
				continue
			}
			if e.version <= from {
				continue
			}
			from = e.version
			if name == "" || e.object["metadata"].(map[string]any)["name"] == name {
				_ = json.NewEncoder(w).Encode(map[string]any{"type": e.kind, "object": e.object})
			}
		}
		select {
		case <-changed:
		case <-over:
			return
		case <-cut:
			panic(errBroken)
		case <-ctx.Done():
			return
		}
	}
}

// told collects observations as "name uid phase".
type told struct {
	mu    sync.Mutex
	lines []string
	ended bool
}

func tell(seen <-chan object.Observation) *told {
	out := &told{}
	go func() {
		for o := range seen {
			line := o.Ref.Name
			if o.Object != nil {
				phase, _, _ := unstructured.NestedString(o.Object.Object, "status", "phase")
				line += fmt.Sprintf(" %s %s", o.Object.GetUID(), phase)
				if o.Object.GetManagedFields() != nil {
					line += " with managedFields"
				}
			}
			if o.Gone {
				line += " gone"
			}
			out.mu.Lock()
			out.lines = append(out.lines, line)
			out.mu.Unlock()
		}
		out.mu.Lock()
		out.ended = true
		out.mu.Unlock()
	}()
	return out
}

func (o *told) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if diff := cmp.Diff(want, o.lines); diff != "" {
		t.Error(diff)
	}
	o.lines = nil
}

var allPods = object.Target{Version: "v1", Kind: "Pod", Namespace: "ns"}

func pod(name string) object.Target {
	return object.Target{Version: "v1", Kind: "Pod", Namespace: "ns", Name: name}
}

func watching(t *testing.T, p *pods, targets ...object.Target) (*told, *wire) {
	t.Helper()
	w := &wire{handle: p.serve}
	seen, err := w.client(Options{}).Watch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	return tell(seen), w
}

func TestWatchTellsThePresentThenChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPods()
		p.set("a", "1", "Pending", false)
		seen, w := watching(t, p, pod("a"), pod("b"))
		seen.expect(t, "a 1 Pending", "b gone")
		p.set("a", "1", "Running", false)
		p.set("b", "2", "Pending", false)
		p.set("other", "3", "Pending", false)
		seen.expect(t, "a 1 Running", "b 2 Pending")
		p.set("b", "", "", false)
		seen.expect(t, "b 2 Pending gone")
		if got := withoutDiscovery(w.requests()); len(got) != 2 {
			t.Errorf("two targets of one kind and namespace took %q", got)
		}
	})
}

func TestWatchOfOneNameAsksForNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPods()
		p.set("x", "9", "Running", false)
		_, w := watching(t, p, pod("a"))
		synctest.Wait()
		for _, r := range withoutDiscovery(w.requests()) {
			if !strings.Contains(r, "fieldSelector=metadata.name=a") {
				t.Error(r)
			}
		}
	})
}

func TestWatchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPods()
		p.set("a", "1", "Pending", false)
		seen, w := watching(t, p, allPods)
		seen.expect(t, "a 1 Pending")

		p.breakOff()
		p.set("a", "1", "Running", false)
		time.Sleep(time.Second)
		seen.expect(t, "a 1 Running") // taken up where it broke

		p.breakOff()
		p.set("a", "", "", false)
		p.set("a", "2", "Pending", false)
		p.set("b", "3", "Pending", false)
		p.set("b", "", "", false)
		p.expire()
		time.Sleep(time.Second)
		seen.expect(t, "a 1 Running gone", "a 2 Pending") // read anew

		p.set("a", "2", "Succeeded", true)
		time.Sleep(relistEvery + 2*watchFor)
		seen.expect(t, "a 2 Succeeded") // an event that got lost

		requests := len(withoutDiscovery(w.requests()))
		time.Sleep(10 * time.Minute)
		seen.expect(t)
		if n := len(withoutDiscovery(w.requests())) - requests; n < 10 || n > 20 {
			t.Errorf("%d requests in ten quiet minutes", n)
		}
	})
}

func TestWatchBehindAProxyThatKeepsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPods()
		p.set("a", "1", "Pending", false)
		w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("watch") == "true" {
				<-r.Context().Done()
				panic(r.Context().Err())
			}
			p.serve(w, r)
		}}
		all, err := w.client(Options{}).Watch(t.Context(), []object.Target{pod("a")})
		if err != nil {
			t.Fatal(err)
		}
		seen := tell(all)
		seen.expect(t, "a 1 Pending")
		for _, phase := range []string{"Running", "Succeeded"} {
			p.set("a", "1", phase, false)
			time.Sleep(watchBegins + time.Second)
			seen.expect(t, "a 1 "+phase)
		}
	})
}

func TestWatchWaitsAsLongAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPods()
		var asked atomic.Int64
		p.refuse = func(w http.ResponseWriter, watch bool) bool {
			if !watch {
				return false
			}
			if asked.Add(1) > 1 {
				return false
			}
			status(429, "9")(w)
			return true
		}
		p.set("a", "1", "Pending", false)
		seen, _ := watching(t, p, pod("a"))
		seen.expect(t, "a 1 Pending")
		p.set("a", "1", "Running", false)
		time.Sleep(9*time.Second - 1)
		if synctest.Wait(); asked.Load() != 1 {
			t.Errorf("%d requests before the time was over", asked.Load())
		}
		time.Sleep(time.Second)
		seen.expect(t, "a 1 Running")
	})
}

func TestWatchWithoutPermissionPolls(t *testing.T) {
	tests := map[string]func(w http.ResponseWriter, watch bool) bool{
		"to watch": func(w http.ResponseWriter, watch bool) bool {
			if watch {
				refuse(w, 403, metav1.StatusReasonForbidden, "no watch")
			}
			return watch
		},
	}
	for name, refuse := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPods()
				p.refuse = refuse
				p.set("a", "1", "Pending", false)
				seen, _ := watching(t, p, pod("a"))
				seen.expect(t, "a 1 Pending")
				p.set("a", "1", "Running", false)
				time.Sleep(3 * time.Second)
				seen.expect(t, "a 1 Running")
			})
		})
	}
}

func TestWatchWithoutPermissionToListGets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPods()
		p.set("a", "1", "Pending", false)
		w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/pods") {
				refuse(w, 403, metav1.StatusReasonForbidden, "no lists")
				return
			}
			p.serve(w, r)
		}}
		c := w.client(Options{})
		seen, err := c.Watch(t.Context(), []object.Target{pod("a")})
		if err != nil {
			t.Fatal(err)
		}
		told := tell(seen)
		told.expect(t, "a 1 Pending")
		p.set("a", "1", "Running", false)
		time.Sleep(3 * time.Second)
		told.expect(t, "a 1 Running")
		if _, err := c.Watch(t.Context(), []object.Target{allPods}); err == nil {
			t.Error("without names there is nothing to get")
		}
	})
}

func TestWatchEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPods()
		ctx, cancel := context.WithCancel(t.Context())
		seen, err := (&wire{handle: p.serve}).client(Options{}).Watch(ctx, []object.Target{allPods})
		if err != nil {
			t.Fatal(err)
		}
		told := tell(seen)
		p.set("a", "1", "Pending", false)
		told.expect(t, "a 1 Pending")
		cancel()
		synctest.Wait()
		if !told.ended {
			t.Error("the channel is open")
		}
	})
}

func TestSlowReceiverGetsTheLatest(t *testing.T) {
	q := newQueue()
	put := func(uid, phase string, gone bool) {
		obj := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"phase": phase}}}
		obj.SetUID(types.UID(uid))
		q.put(object.Observation{Ref: object.Ref{Kind: "Pod", Name: "a"}, Object: obj, Gone: gone})
	}
	for range 1000 {
		put("1", "Running", false)
	}
	put("1", "Failed", true)
	put("2", "Pending", false)
	var got []string
	for o, ok := q.take(); ok; o, ok = q.take() {
		phase, _, _ := unstructured.NestedString(o.Object.Object, "status", "phase")
		got = append(got, fmt.Sprint(o.Object.GetUID(), " ", phase, " ", o.Gone))
	}
	if diff := cmp.Diff([]string{"1 Failed true", "2 Pending false"}, got); diff != "" {
		t.Error(diff)
	}
}
