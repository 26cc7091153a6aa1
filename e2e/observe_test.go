package e2e

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// observable are the kinds that a story can watch.
var observable = map[string]schema.GroupVersionResource{
	"configmaps":      {Version: "v1", Resource: "configmaps"},
	"deployments":     {Group: "apps", Version: "v1", Resource: "deployments"},
	"jobs":            {Group: "batch", Version: "v1", Resource: "jobs"},
	"pods":            {Version: "v1", Resource: "pods"},
	"rolebindings":    {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
	"roles":           {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	"serviceaccounts": {Version: "v1", Resource: "serviceaccounts"},
}

// observe notes from now on what happens to the objects of some kinds, as the
// API server tells it:
//
//	observe KIND...
func observe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: observe KIND...")
	}
	s := storyOf(ts)
	if s.watcher != nil {
		s.watcher.stop()
	}
	s.watcher = newWatcher(s.ctx)
	for _, kind := range args {
		resource, ok := observable[kind]
		if !ok {
			ts.Fatalf("observe: %s is not in the list of what can be observed", kind)
		}
		ts.Check(s.watcher.follow(s, resource))
	}
}

// observed checks what has happened since observe against a file with lines
// such as "created Job/migrate", "succeeded Job/migrate", "deleted
// Job/migrate". With verbs, only lines of these count. The news may still be
// on its way: it waits until file and happenings agree.
//
//	observed FILE [VERB...]
func observed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: observed FILE [VERB...]")
	}
	s := storyOf(ts)
	if s.watcher == nil {
		ts.Fatalf("observed: nothing is observed yet")
	}
	want := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	var got []string
	err := s.wait("what should happen", func() (bool, error) {
		got = s.watcher.lines(args[1:])
		return slices.Equal(got, want), nil
	})
	if err != nil {
		ts.Fatalf("not what happened (-wanted +happened):\n%s", gocmp.Diff(want, got))
	}
}

// happening is one thing that happened to one object.
type happening struct {
	verb, object string
	// version orders happenings of all kinds: the store counts all its changes.
	version int64
}

// watcher collects happenings.
type watcher struct {
	ctx  context.Context
	stop context.CancelFunc

	mu   sync.Mutex
	seen []happening
	told map[string]bool
}

func newWatcher(ctx context.Context) *watcher {
	w := &watcher{told: map[string]bool{}}
	w.ctx, w.stop = context.WithCancel(ctx)
	return w
}

// follow watches one kind from now on; when it returns, the watch is open.
func (w *watcher) follow(s *story, resource schema.GroupVersionResource) error {
	client := s.objects.Resource(resource).Namespace(s.namespace)
	list, err := client.List(w.ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("observing %s: %w", resource.Resource, err)
	}
	news, err := client.Watch(w.ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		return fmt.Errorf("observing %s: %w", resource.Resource, err)
	}
	go func() {
		version := list.GetResourceVersion()
		for news != nil {
			version = w.read(news, version)
			news = w.resume(client, version)
		}
	}()
	return nil
}

// read notes what a watch tells until it breaks, and returns the version up to
// which that was.
func (w *watcher) read(news watch.Interface, version string) string {
	defer news.Stop()
	for event := range news.ResultChan() {
		w.note(event)
		if object, ok := event.Object.(*unstructured.Unstructured); ok && event.Type != watch.Error {
			version = object.GetResourceVersion()
		}
	}
	return version
}

// resume takes a broken watch up again where it was; nil when the story is over.
func (w *watcher) resume(client dynamic.ResourceInterface, version string) watch.Interface {
	for w.ctx.Err() == nil {
		if news, err := client.Watch(w.ctx, metav1.ListOptions{ResourceVersion: version}); err == nil {
			return news
		}
		select {
		case <-w.ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

func (w *watcher) note(event watch.Event) {
	object, ok := event.Object.(*unstructured.Unstructured)
	if !ok || len(object.GetOwnerReferences()) > 0 || everywhere(object.GetKind()+"/"+object.GetName()) {
		return
	}
	switch event.Type {
	case watch.Added:
		w.add("created", object)
		w.addEnd(object)
	case watch.Modified:
		w.addEnd(object)
	case watch.Deleted:
		w.addEnd(object)
		w.add("deleted", object)
	}
}

// addEnd notes the end of a Job or a Pod.
func (w *watcher) addEnd(object *unstructured.Unstructured) {
	phase, _, _ := unstructured.NestedString(object.Object, "status", "phase")
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if object.GetKind() == "Job" && condition["status"] == "True" {
			switch condition["type"] {
			case "Complete":
				phase = "Succeeded"
			case "Failed":
				phase = "Failed"
			}
		}
	}
	if phase == "Succeeded" || phase == "Failed" {
		w.add(strings.ToLower(phase), object)
	}
}

// add notes a happening, once for each object.
func (w *watcher) add(verb string, object *unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := verb + " " + string(object.GetUID())
	if w.told[key] {
		return
	}
	w.told[key] = true
	version, _ := strconv.ParseInt(object.GetResourceVersion(), 10, 64) // the API server's versions are numbers
	w.seen = append(w.seen, happening{verb: verb, object: object.GetKind() + "/" + object.GetName(), version: version})
}

// lines are the happenings so far, in the order in which they happened.
func (w *watcher) lines(verbs []string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortStableFunc(w.seen, func(a, b happening) int { return cmp.Compare(a.version, b.version) })
	var lines []string
	for _, h := range w.seen {
		if len(verbs) == 0 || slices.Contains(verbs, h.verb) {
			lines = append(lines, h.verb+" "+h.object)
		}
	}
	return lines
}
