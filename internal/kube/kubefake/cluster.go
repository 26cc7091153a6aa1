// Package kubefake is a scripted cluster in memory, for tests of the engine
// and of what is above it. It keeps objects with UIDs, versions, generations
// and owners as an API server does, plays the controllers of Jobs, Pods and
// workloads as the test scripts them, answers refusals on request, and
// records every request that it got.
//
// It starts no goroutines of its own: what happens later happens on timers,
// so that tests in a testing/synctest bubble run in virtual time and are the
// same each time. It is not a copy of Kubernetes: no admission, no defaulting,
// and a server-side apply that merges maps and replaces lists.
package kubefake

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Cluster is safe for concurrent use. Patterns in its methods are
// "Kind/name", either side of which may hold the wildcards of path.Match.
type Cluster struct {
	mu       sync.Mutex
	catalog  *object.Catalog
	objects  map[object.Key]*unstructured.Unstructured
	applied  map[manager]map[string]any
	version  int
	born     int
	watchers map[*watcher]bool
	changes  []change
	logs     map[string]*output
	events   []event

	runs     []scripted[Run]
	rollouts []scripted[Rollout]
	edits    []scripted[Edit]
	refusals []*refusal
	lingers  []scripted[time.Duration]
	requests []Request
}

// manager is a field manager of one object: each owns what it applied last.
type manager struct {
	object types.UID
	name   string
}

// Request is one request that the cluster got, refused ones included.
type Request struct {
	// Verb is get, list, watch, create, patch, update or delete; a dry run has
	// "dry-run " before it.
	Verb string
	Ref  object.Ref
	Time time.Time
}

// String is "verb Kind/namespace/name".
func (r Request) String() string { return r.Verb + " " + r.Ref.String() }

// New is a cluster that serves the common built-in kinds (see Kinds) and has
// the namespaces "default" and "kube-system" beside those given.
func New(namespaces ...string) *Cluster {
	c := &Cluster{
		catalog:  object.NewCatalog(Kinds()),
		objects:  map[object.Key]*unstructured.Unstructured{},
		applied:  map[manager]map[string]any{},
		watchers: map[*watcher]bool{},
		logs:     map[string]*output{},
	}
	for _, name := range append([]string{"default", "kube-system"}, namespaces...) {
		c.Seed(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
			"status": map[string]any{"phase": "Active"},
		}})
	}
	return c
}

// Seed puts objects in as they are, with no controller acting on them and no
// request recorded. It panics on a kind that is not served.
func (c *Cluster) Seed(objs ...*unstructured.Unstructured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, obj := range objs {
		obj = obj.DeepCopy()
		key, err := c.key(object.RefOf(obj))
		if err != nil {
			panic(err)
		}
		obj.SetNamespace(key.Namespace)
		c.birth(obj)
		c.store(key, obj)
	}
}

// Update changes an object from outside, as a controller or a person would;
// it panics when the object is not there.
func (c *Cluster) Update(ref object.Ref, edit func(obj *unstructured.Unstructured)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.edit(ref, "", edit) {
		panic(fmt.Sprintf("kubefake: no %s to update", ref))
	}
}

// Remove takes an object away at once, whatever its finalizers, together with
// what it owns; one that is gone already is no error.
func (c *Cluster) Remove(ref object.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key, err := c.key(ref); err == nil {
		c.remove(key)
	}
}

// Peek reads an object without a request being recorded; nil when it is gone.
func (c *Cluster) Peek(ref object.Ref) *unstructured.Unstructured {
	c.mu.Lock()
	defer c.mu.Unlock()
	key, err := c.key(ref)
	if err != nil || c.objects[key] == nil {
		return nil
	}
	return c.objects[key].DeepCopy()
}

// Requests are those recorded so far, in order. With verbs given, only those.
func (c *Cluster) Requests(verbs ...string) []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Request
	for _, r := range c.requests {
		keep := len(verbs) == 0
		for _, v := range verbs {
			keep = keep || v == r.Verb
		}
		if keep {
			out = append(out, r)
		}
	}
	return out
}

// Changes are the create, patch, update and delete requests so far, each as
// "verb Kind/namespace/name".
func (c *Cluster) Changes() []string {
	var out []string
	for _, r := range c.Requests("create", "patch", "update", "delete") {
		out = append(out, r.String())
	}
	return out
}

// Refuse makes the next times requests of that verb ("*": any) for objects
// of that pattern fail with err; times of 0 means all of them.
func (c *Cluster) Refuse(verb, pattern string, err error, times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if times == 0 {
		times = -1
	}
	c.refusals = append(c.refusals, &refusal{verb: verb, pattern: pattern, err: err, left: times})
}

type refusal struct {
	verb, pattern string
	err           error
	left          int
}

// scripted is one script and the objects that it is for.
type scripted[T any] struct {
	pattern string
	plays   []T
	used    int
}

// pick gives the script for an object: of several plays the next one at each
// call, the last one again and again; later scripts go before earlier ones.
func pick[T any](all []scripted[T], ref object.Ref) (T, bool) {
	for i := len(all) - 1; i >= 0; i-- {
		s := &all[i]
		if !matches(s.pattern, ref) {
			continue
		}
		play := s.plays[min(s.used, len(s.plays)-1)]
		s.used++
		return play, true
	}
	var none T
	return none, false
}

func matches(pattern string, ref object.Ref) bool {
	ok, err := path.Match(pattern, ref.Short())
	if err != nil {
		panic(err)
	}
	return ok
}

// record notes a request and gives the refusal that the test has ordered.
func (c *Cluster) record(verb string, ref object.Ref) error {
	c.requests = append(c.requests, Request{Verb: verb, Ref: ref, Time: time.Now()})
	for _, r := range c.refusals {
		if r.left == 0 || r.verb != "*" && r.verb != verb || !matches(r.pattern, ref) {
			continue
		}
		r.left--
		return r.err
	}
	return nil
}

// birth fills in what an API server gives to a new object.
func (c *Cluster) birth(obj *unstructured.Unstructured) {
	c.born++
	if obj.GetUID() == "" {
		obj.SetUID(types.UID("uid-" + strconv.Itoa(c.born)))
	}
	obj.SetCreationTimestamp(metav1.NewTime(time.Now()))
	obj.SetGeneration(1)
}

// store keeps a new state of an object and tells the watchers.
func (c *Cluster) store(key object.Key, obj *unstructured.Unstructured) {
	c.version++
	obj.SetResourceVersion(strconv.Itoa(c.version))
	was := c.objects[key]
	c.objects[key] = obj
	kind := "MODIFIED"
	if was == nil {
		kind = "ADDED"
	}
	c.tell(change{version: c.version, kind: kind, key: key, object: obj, was: was})
}

// edit changes an object in place if it is (still) the one with that UID.
func (c *Cluster) edit(ref object.Ref, uid types.UID, edit func(obj *unstructured.Unstructured)) bool {
	key, err := c.key(ref)
	if err != nil {
		return false
	}
	was := c.objects[key]
	if was == nil || uid != "" && was.GetUID() != uid {
		return false
	}
	obj := was.DeepCopy()
	edit(obj)
	c.store(key, obj)
	if obj.GetDeletionTimestamp() != nil && len(obj.GetFinalizers()) == 0 {
		c.remove(key)
	}
	return true
}

// remove takes an object away, and then what it owns.
func (c *Cluster) remove(key object.Key) {
	obj := c.objects[key]
	if obj == nil {
		return
	}
	delete(c.objects, key)
	c.version++
	gone := obj.DeepCopy()
	gone.SetResourceVersion(strconv.Itoa(c.version))
	c.tell(change{version: c.version, kind: "DELETED", key: key, object: gone, was: obj})
	if out := c.logs[string(obj.GetUID())]; out != nil {
		out.end()
	}
	for _, k := range c.ownedBy(obj.GetUID()) {
		c.remove(k)
	}
}

func (c *Cluster) ownedBy(uid types.UID) []object.Key {
	var keys []object.Key
	for key, obj := range c.objects {
		for _, owner := range obj.GetOwnerReferences() {
			if owner.UID == uid {
				keys = append(keys, key)
			}
		}
	}
	slices.SortFunc(keys, inOrder)
	return keys
}

func (c *Cluster) notFound(ref object.Ref) error {
	r, _ := c.catalog.FindKind(ref.GVK().GroupKind())
	return apierrors.NewNotFound(r.GVR().GroupResource(), ref.Name)
}
