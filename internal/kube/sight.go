package kube

import (
	"context"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podSights lets those who follow logs share what the client's watches see of
// pods, so that following costs no watch of its own.
type podSights struct {
	mu    sync.Mutex
	pods  map[podName]podState
	looks map[podName]map[*sight]bool
}

type podName struct{ namespace, name string }

// podState is what a watch has seen of a pod that it still covers.
type podState struct {
	object *unstructured.Unstructured
	gone   bool
}

// sight is one follower's view of one pod.
type sight struct {
	all  *podSights
	name podName
	// news holds a token when the pod has changed.
	news chan struct{}
	// check is called with the pod's new state, the lock held.
	check func(podState)
}

// look begins to look at a pod; close ends it.
func (p *podSights) look(pod object.Ref) *sight {
	s := &sight{all: p, name: podName{pod.Namespace, pod.Name}, news: make(chan struct{}, 1)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.looks == nil {
		p.looks = map[podName]map[*sight]bool{}
	}
	if p.looks[s.name] == nil {
		p.looks[s.name] = map[*sight]bool{}
	}
	p.looks[s.name][s] = true
	return s
}

func (s *sight) close() {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	delete(s.all.looks[s.name], s)
	if len(s.all.looks[s.name]) == 0 {
		delete(s.all.looks, s.name)
	}
}

// note takes in what a watch saw.
func (p *podSights) note(o object.Observation) {
	if !o.Ref.Is("", "Pod") {
		return
	}
	name, state := podName{o.Ref.Namespace, o.Ref.Name}, podState{object: o.Object, gone: o.Gone}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pods == nil {
		p.pods = map[podName]podState{}
	}
	p.pods[name] = state
	if o.Gone && len(p.looks[name]) == 0 {
		delete(p.pods, name)
	}
	for s := range p.looks[name] {
		if s.check != nil {
			s.check(state)
		}
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// forget drops a pod that is watched no longer: what was seen would grow stale.
func (p *podSights) forget(ref object.Ref) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pods, podName{ref.Namespace, ref.Name})
}

// pod is the pod's state if some watch covers it.
func (s *sight) pod() (podState, bool) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	state, known := s.all.pods[s.name]
	return state, known
}

// leaving tells that the pod is gone or being deleted, and with it its logs.
func (s *sight) leaving() bool {
	state, known := s.pod()
	return known && (state.gone || state.object != nil && state.object.GetDeletionTimestamp() != nil)
}

// onEnd calls do, from some other goroutine, as soon as a watch sees that the
// container's life is over; undo takes that back.
func (s *sight) onEnd(container string, life int, do func()) (undo func()) {
	check := func(state podState) {
		if view := viewContainer(state, container); view.ended(life) {
			do()
		}
	}
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	s.check = check
	if state, known := s.all.pods[s.name]; known {
		check(state)
	}
	return func() {
		s.all.mu.Lock()
		defer s.all.mu.Unlock()
		s.check = nil
	}
}

// changed waits for news of the pod, at most so long.
func (s *sight) changed(ctx context.Context, atMost time.Duration) error {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-s.news:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// containerView is what a pod's status says of one container.
type containerView struct {
	podGone, podEnded            bool
	running, waiting, terminated bool
	// before tells that an earlier life has ended.
	before   bool
	restarts int
}

func viewContainer(pod podState, name string) containerView {
	view := containerView{podGone: pod.gone}
	if pod.object == nil {
		return view
	}
	phase, _, _ := unstructured.NestedString(pod.object.Object, "status", "phase")
	view.podEnded = phase == "Succeeded" || phase == "Failed"
	for _, field := range []string{"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"} {
		statuses, _, _ := unstructured.NestedFieldNoCopy(pod.object.Object, "status", field)
		list, _ := statuses.([]any)
		for _, entry := range list {
			if status, ok := entry.(map[string]any); ok && status["name"] == name {
				view.read(status)
			}
		}
	}
	return view
}

func (v *containerView) read(status map[string]any) {
	has := func(field, state string) bool {
		at, _ := status[field].(map[string]any)
		_, ok := at[state]
		return ok
	}
	v.running, v.waiting = has("state", "running"), has("state", "waiting")
	v.terminated, v.before = has("state", "terminated"), has("lastState", "terminated")
	n, _ := status["restartCount"].(int64)
	v.restarts = int(n)
}

// started tells that there is, or was, something to read.
func (v containerView) started() bool { return v.running || v.terminated || v.waiting && v.before }

// ended tells that the life with that restart count is over; with
// unknownLife, that no life is under way.
func (v containerView) ended(life int) bool {
	return v.podGone || v.podEnded || v.terminated || v.waiting && v.before || life != unknownLife && v.restarts > life
}
