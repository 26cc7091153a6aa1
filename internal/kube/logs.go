package kube

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/pattern"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	// lastTries is how often the rest of an ended container's log is asked for.
	lastTries = 5
	// lookEvery is how often a pod that nobody watches is looked at.
	lookEvery = time.Second
)

// Follow calls line for each line of one life of a container, the one that
// runs when Follow is called (or the last one, if none runs), from its first
// line, and returns nil when that life has ended and all was read. A broken
// stream is taken up again where it broke; a container that has not started
// is waited for; a pod that is gone ends it without an error.
//
// Where some Watch of this client covers the pod, the end is known from it,
// which is up to a second faster than the stream's own end. A stream that is
// still behind with a long log is read on: the rest of a pod that is deleted as
// soon as it has ended is to be had from nowhere else.
func (c *Client) Follow(ctx context.Context, pod object.Ref, container string, line func(ledger.Line)) error {
	pod.Namespace = c.in(pod.Namespace)
	f := &follower{client: c, pod: pod, container: container, emit: line, life: unknownLife}
	f.sight = c.pods.look(pod)
	defer f.sight.close()
	for {
		more, err := f.step(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return c.refused("get", pod, err)
		}
		if !more {
			return nil
		}
	}
}

// unknownLife stands for a container whose restarts have not been seen yet.
const unknownLife = -1

// follower reads one container's log.
type follower struct {
	client    *Client
	pod       object.Ref
	container string
	emit      func(ledger.Line)
	sight     *sight
	// looked is what a look of our own at the pod has seen, for pods that
	// nobody watches.
	looked containerView
	// life is the container's restart count when its log was begun.
	life   int
	replay replay
	failed int
	// cut tells that the last stream of a long log did not come to its end.
	cut bool
	// troubled is since when the rest of an ended container's log could not be
	// read; zero where it could.
	troubled time.Time
}

// view is the newest that is known of the container.
func (f *follower) view() containerView {
	view := f.looked
	if pod, watched := f.sight.pod(); watched {
		view = viewContainer(pod, f.container)
	}
	if f.life == unknownLife && view.started() {
		f.life = view.restarts
	}
	return view
}

// step reads as much as can be read now and tells whether there is more to come.
func (f *follower) step(ctx context.Context) (more bool, err error) {
	view := f.view()
	last := view.ended(f.life)
	err = f.read(ctx, last, f.life != unknownLife && view.restarts > f.life)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case apierrors.IsNotFound(err) && f.cut:
		return false, errCut
	case apierrors.IsNotFound(err), noneKept(err):
		return false, nil
	case notStarted(err):
		return f.awaitStart(ctx)
	case apierrors.IsUnauthorized(err) && f.client.renewable && f.failed == 0:
		f.failed++ // client-go has asked the plugin for new credentials by now
		return true, nil
	case apierrors.IsBadRequest(err), apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return false, err
	case !last:
		return true, f.awaitNews(ctx, err)
	case err == nil:
		return false, nil
	}
	return f.again(ctx, view, err)
}

// again decides whether the rest of an ended container's log is asked for once
// more: a few times where the server says no, and as long as any other request
// where the network is at fault, since nobody gets another chance to read it.
func (f *follower) again(ctx context.Context, view containerView, err error) (more bool, _ error) {
	if f.troubled.IsZero() {
		f.troubled = time.Now()
	}
	f.failed++
	kind, _ := judge(err)
	passing := kind != final && time.Since(f.troubled) < f.client.retryFor
	if view.podGone || f.failed >= lastTries && !passing {
		return false, err
	}
	return true, sleep(ctx, f.client.pauseAfter(err, min(firstPause<<min(f.failed, 10), longest)), err)
}

// read streams the log until it ends, breaks off, or the container is seen to
// have ended. In the last case, and when whole is set, what is there is read
// without waiting for more.
func (f *follower) read(ctx context.Context, whole, previous bool) error {
	q := url.Values{"container": {f.container}, "timestamps": {"true"}}
	if previous {
		q.Set("previous", "true")
	}
	if since, ok := f.replay.begin(); ok {
		q.Set("sinceTime", since.Format(time.RFC3339))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	idle := newIdleness(func() {
		if !f.sight.leaving() { // then the stream's own end is the only one to be had
			cancel()
		}
	})
	defer idle.stop()
	if !whole {
		q.Set("follow", "true")
		defer f.sight.onEnd(f.container, f.life, idle.end)()
	}
	resp, err := f.client.open(ctx, f.client.logRequest(f.pod, q))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var text io.Reader = resp.Body
	if !whole {
		text = &wholeLines{Reader: text} // the end of the log is read as a whole later
	}
	err = eachLine(text, func(l ledger.Line) {
		idle.line(len(l.Text))
		if noLog().MatchString(l.Text) {
			return
		}
		if f.replay.isNew(l) {
			f.emit(l)
		}
	})
	f.cut = err != nil && idle.long()
	return err
}

// noLog is what the kubelet writes in place of a log that it does not have any
// more: with status 200, as if the container had said it.
var noLog = pattern.Lazy(`^unable to retrieve container logs for \w+://[0-9a-f]+$`)

// errCut tells of a log whose rest is to be had from nowhere.
var errCut = errors.New("its pod was gone before all of it had been read")

func (c *Client) logRequest(pod object.Ref, q url.Values) request {
	return request{
		verb: "get", path: "/api/v1/namespaces/" + pod.Namespace + "/pods/" + pod.Name + "/log",
		query: q, accept: "*/*", ref: pod,
	}
}

// notStarted: the API server refuses to give the log of a container that is
// still being prepared.
func notStarted(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "is waiting to start") ||
		apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "is not available")
}

// noneKept: the life that is asked for has left no log.
func noneKept(err error) bool {
	return apierrors.IsBadRequest(err) &&
		(strings.Contains(err.Error(), "previous terminated container") || strings.Contains(err.Error(), "is terminated"))
}

// awaitStart waits until the container has something to say.
func (f *follower) awaitStart(ctx context.Context) (more bool, err error) {
	stop, err := f.watch(ctx)
	if err != nil {
		return false, err
	}
	defer stop()
	for first := true; ; first = false {
		view := f.view()
		if view.podGone || view.podEnded && !view.started() {
			return false, nil
		}
		if view.started() && first { // the refusal and what we see disagree: the one or the other is behind
			return true, f.sight.changed(ctx, firstPause)
		}
		if view.started() {
			return true, nil
		}
		if err := f.sight.changed(ctx, lookEvery); err != nil {
			return false, err
		}
	}
}

// watch makes sure that some watch covers the pod.
func (f *follower) watch(ctx context.Context) (stop func(), err error) {
	if _, watched := f.sight.pod(); watched {
		return func() {}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	seen, err := f.client.Watch(ctx, []object.Target{object.TargetOf(f.pod)})
	if err != nil {
		cancel()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range seen { // what is seen reaches us through sight
		}
	}()
	return func() { cancel(); <-done }, nil
}

// awaitNews finds out after the end of a stream whether it was the container's
// end too. Where it was not (or the API does not know it yet) it pauses.
func (f *follower) awaitNews(ctx context.Context, broken error) error {
	if _, watched := f.sight.pod(); !watched {
		pod, err := f.client.Get(ctx, f.pod)
		switch {
		case apierrors.IsNotFound(err):
			f.looked = containerView{podGone: true}
		case err != nil:
			return err
		default:
			f.looked = viewContainer(podState{object: pod}, f.container)
		}
	}
	if f.view().ended(f.life) {
		return nil
	}
	if broken == nil {
		return f.sight.changed(ctx, lookEvery)
	}
	if _, after := judge(broken); after > 0 {
		return sleep(ctx, f.client.pauseAfter(broken, firstPause), broken)
	}
	return f.sight.changed(ctx, jitter(2*firstPause))
}

// Tail reads the last n lines that the container has written so far; those of
// its previous life when the present one has not said anything. A container
// that never ran has no lines, which is no error.
func (c *Client) Tail(ctx context.Context, pod object.Ref, container string, n int) ([]ledger.Line, error) {
	pod.Namespace = c.in(pod.Namespace)
	q := url.Values{"container": {container}, "timestamps": {"true"}, "tailLines": {strconv.Itoa(n)}}
	lines, err := c.tail(ctx, pod, q, n)
	if len(lines) > 0 || err != nil && !notStarted(err) {
		return lines, err
	}
	q.Set("previous", "true")
	if lines, err = c.tail(ctx, pod, q, n); noneKept(err) || notStarted(err) {
		return nil, nil
	}
	return lines, err
}

func (c *Client) tail(ctx context.Context, pod object.Ref, q url.Values, n int) ([]ledger.Line, error) {
	resp, err := c.do(ctx, c.logRequest(pod, q))
	if err != nil {
		return nil, err
	}
	var lines []ledger.Line
	err = eachLine(strings.NewReader(string(resp.body)), func(l ledger.Line) { lines = append(lines, l) })
	return lines[max(0, len(lines)-n):], err
}
