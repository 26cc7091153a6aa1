package kube

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	// watchFor is how long one watch request lasts before it is taken up again;
	// up to half as much is added at random. The first ones are shorter: a stream in which
	// nothing comes any more, because somebody on the way swallows it, looks like one in which nothing happens.
	watchFor      = 50 * time.Second
	firstWatchFor = 10 * time.Second
	// watchGrace is how much later we end it ourselves when the server has not.
	watchGrace = 5 * time.Second
	// watchBegins is how long the answer to a watch may take to begin.
	watchBegins = 8 * time.Second
	// relistEvery bounds how long an event that got lost can go unnoticed.
	relistEvery = 3 * time.Minute
	// shortest is what a watch lasts at least unless something is wrong with it.
	shortest = time.Second
	// pollEvery is the pace where we may read but not watch.
	pollEvery = time.Second
)

// source follows the objects of one kind and namespace and puts what it sees
// into a queue. It is used by one goroutine at a time.
type source struct {
	client   *Client
	place    place
	selector string
	// names are those that are wanted; nil means all.
	names map[string]bool
	queue *queue

	// version is where the next watch request goes on; empty when there is
	// nothing to go on from and the source has to poll.
	version string
	listed  time.Time
	// lasts is how long the next watch request is to last.
	lasts time.Duration
	// last is the last known state of each object that is there.
	last map[string]*unstructured.Unstructured
}

// cover widens the source by one name, or to all of them.
func (s *source) cover(name string) {
	if name == "" {
		s.names = nil
	} else if s.names != nil {
		s.names[name] = true
	}
}

func (s *source) wants(name string) bool { return s.names == nil || s.names[name] }

func (s *source) ref(name string) object.Ref {
	gvk := s.place.resource.GVK
	return object.Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Namespace: s.place.namespace, Name: name}
}

// query narrows a list or watch as far as the API server can.
func (s *source) query() url.Values {
	fields := ""
	if len(s.names) == 1 {
		for name := range s.names {
			fields = "metadata.name=" + name
		}
	}
	return selection(s.selector, fields)
}

// run watches until ctx ends. Nothing but that ends it: who waits has a time
// limit of their own, and a cluster that is away now may be back before.
func (s *source) run(ctx context.Context) {
	defer s.leave()
	pause := firstPause
	for ctx.Err() == nil {
		started := time.Now()
		err := s.step(ctx)
		took := time.Since(started)
		if took > longest {
			pause = firstPause // it worked for a while: this is a new trouble
		}
		if err != nil || took < shortest {
			_ = sleep(ctx, s.client.pauseAfter(err, pause), err) // the loop looks at ctx itself
			pause = min(2*pause, longest)
		}
	}
}

// step is one watch request to its end, or one poll.
func (s *source) step(ctx context.Context) error {
	if s.version == "" {
		if err := sleep(ctx, pollEvery, nil); err != nil {
			return err
		}
		return s.list(ctx)
	}
	err := s.follow(ctx)
	switch {
	case errors.Is(err, errStalled):
		return s.list(ctx)
	case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
		return s.list(ctx)
	case apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err):
		s.version = ""
		return s.list(ctx)
	case time.Since(s.listed) > relistEvery:
		return s.list(ctx)
	}
	return err
}

// list reads the present state and reports how it differs from the last known.
func (s *source) list(ctx context.Context) error {
	r := request{verb: "list", path: s.place.path(""), query: s.query(), ref: s.ref("")}
	got, err := s.client.list(ctx, r)
	switch {
	case apierrors.IsNotFound(err): // the kind is no longer, or not yet, served
		got = listing{}
	case notListable(err) && s.names != nil:
		if got, err = s.gets(ctx); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	s.version, s.listed = got.version, time.Now()
	s.replace(got.items)
	return nil
}

// gets reads the wanted objects one by one, for those who may not list.
func (s *source) gets(ctx context.Context) (listing, error) {
	var got listing
	for name := range s.names {
		obj, err := s.client.one(ctx, request{verb: "get", path: s.place.path(name), ref: s.ref(name)})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return listing{}, err
		}
		got.items = append(got.items, obj.Object)
	}
	return got, nil
}

// replace compares a whole listing with what was known.
func (s *source) replace(items []map[string]any) {
	first := s.last == nil
	if first {
		s.last = make(map[string]*unstructured.Unstructured, len(items))
	}
	present := make(map[string]bool, len(items))
	for _, item := range items {
		obj := &unstructured.Unstructured{Object: item}
		name := obj.GetName()
		if !s.wants(name) {
			continue
		}
		present[name] = true
		if old := s.last[name]; old == nil || old.GetUID() != obj.GetUID() || old.GetResourceVersion() != obj.GetResourceVersion() {
			s.saw(obj)
		}
	}
	for name := range s.last {
		if !present[name] {
			s.gone(name, s.last[name])
		}
	}
	if first {
		for name := range s.names {
			if !present[name] {
				s.gone(name, nil)
			}
		}
	}
}

func (s *source) saw(obj *unstructured.Unstructured) {
	name := obj.GetName()
	if old := s.last[name]; old != nil && old.GetUID() != obj.GetUID() {
		s.gone(name, old) // it was replaced while we looked away
	}
	unstructured.RemoveNestedField(obj.Object, "metadata", "managedFields")
	s.last[name] = obj
	s.report(object.Observation{Ref: s.ref(name), Object: obj})
}

func (s *source) gone(name string, last *unstructured.Unstructured) {
	delete(s.last, name)
	s.report(object.Observation{Ref: s.ref(name), Object: last, Gone: true})
}

func (s *source) report(o object.Observation) {
	s.client.pods.note(o)
	s.queue.put(o)
}

// leave tells that the source sees no more.
func (s *source) leave() {
	for name := range s.last {
		s.client.pods.forget(s.ref(name))
	}
}

// follow makes one watch request and handles its events until it ends.
func (s *source) follow(ctx context.Context) error {
	s.lasts = min(max(2*s.lasts, firstWatchFor), watchFor)
	lasts := s.lasts + rand.N(s.lasts/2)
	ctx, cancel := context.WithTimeout(ctx, lasts+watchGrace)
	defer cancel()
	q := s.query()
	q.Set("watch", "true")
	q.Set("allowWatchBookmarks", "true")
	q.Set("resourceVersion", s.version)
	q.Set("timeoutSeconds", strconv.Itoa(int(lasts/time.Second)))
	stalled := time.AfterFunc(watchBegins, cancel)
	resp, err := s.client.open(ctx, request{verb: "watch", path: s.place.path(""), query: q, ref: s.ref("")})
	if !stalled.Stop() {
		if err == nil {
			_ = resp.Body.Close()
		}
		return errStalled
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	events := json.NewDecoder(resp.Body)
	for {
		var e struct {
			Type   watch.EventType
			Object json.RawMessage
		}
		if err := events.Decode(&e); err != nil {
			return streamEnd(err)
		}
		if err := s.handle(e.Type, e.Object); err != nil {
			return err
		}
	}
}

// errStalled: the answer to a watch did not begin, as behind a proxy that keeps
// answers until they are whole.
var errStalled = errors.New("the watch does not begin")

// streamEnd: an API server ends a watch when its time is over.
func streamEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (s *source) handle(kind watch.EventType, content []byte) error {
	if kind == watch.Error {
		var status metav1.Status
		if err := json.Unmarshal(content, &status); err != nil {
			return err
		}
		return &apierrors.StatusError{ErrStatus: status}
	}
	obj, err := decode(content)
	if err != nil {
		return err
	}
	if v := obj.GetResourceVersion(); v != "" {
		s.version = v
	}
	if kind == watch.Bookmark || !s.wants(obj.GetName()) {
		return nil
	}
	if kind == watch.Deleted {
		unstructured.RemoveNestedField(obj.Object, "metadata", "managedFields")
		s.gone(obj.GetName(), obj)
		return nil
	}
	s.saw(obj)
	return nil
}
