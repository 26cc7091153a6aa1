package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// containerState is one container's line in a pod's status.
type containerState struct {
	ledger.Container
	HasRun bool
}

// containersOf reads the containers that a pod's status speaks of, init
// containers first.
func containersOf(pod *unstructured.Unstructured) []containerState {
	var out []containerState
	for _, field := range []string{"initContainerStatuses", "containerStatuses"} {
		items, _, _ := unstructured.NestedSlice(pod.Object, "status", field)
		for _, item := range items {
			if m, ok := item.(map[string]any); ok {
				out = append(out, readContainer(m, field == "initContainerStatuses"))
			}
		}
	}
	return out
}

func readContainer(m map[string]any, init bool) containerState {
	text := func(path ...string) string { s, _, _ := unstructured.NestedString(m, path...); return s }
	number := func(path ...string) int { n, _, _ := unstructured.NestedInt64(m, path...); return int(n) }
	c := containerState{Container: ledger.Container{
		Name: text("name"), Init: init, Image: text("image"), ImageID: text("imageID"),
		Restarts: number("restartCount"), ExitCode: -1,
	}}
	_, running, _ := unstructured.NestedMap(m, "state", "running")
	_, ended, _ := unstructured.NestedMap(m, "state", "terminated")
	c.HasRun = running || ended
	moment := func(path ...string) time.Time { t, _ := time.Parse(time.RFC3339, text(path...)); return t }
	_, before, _ := unstructured.NestedMap(m, "lastState", "terminated")
	switch {
	case ended:
		c.Reason, c.Message = text("state", "terminated", "reason"), text("state", "terminated", "message")
	default:
		c.Reason, c.Message = text("state", "waiting", "reason"), text("state", "waiting", "message")
	}
	switch {
	case ended:
		c.ExitCode, c.Signal = number("state", "terminated", "exitCode"), number("state", "terminated", "signal")
		c.Container.Started, c.Ended = moment("state", "terminated", "startedAt"), moment("state", "terminated", "finishedAt")
	case running:
		c.Container.Started = moment("state", "running", "startedAt")
	case before: // between two lives: how the last one ended
		c.ExitCode, c.Signal = number("lastState", "terminated", "exitCode"), number("lastState", "terminated", "signal")
		c.Container.Started, c.Ended = moment("lastState", "terminated", "startedAt"), moment("lastState", "terminated", "finishedAt")
	}
	return c
}

// records are the run's pods as the ledger keeps them, logs included.
func (m *monitor) records() []ledger.Pod {
	var out []ledger.Pod
	for _, uid := range m.podOrder {
		pod := m.pods[uid]
		text := func(path ...string) string { s, _, _ := unstructured.NestedString(pod.Object, path...); return s }
		p := ledger.Pod{
			Name: pod.GetName(), Namespace: pod.GetNamespace(), UID: uid, Node: text("spec", "nodeName"),
			Phase: phaseOf(pod), Reason: text("status", "reason"), Message: text("status", "message"),
		}
		for _, c := range containersOf(pod) {
			if log := m.lastWords(uid, c.Name); log != nil {
				c.Log = *log
			}
			p.Containers = append(p.Containers, c.Container)
		}
		out = append(out, p)
	}
	return out
}

// lastWords are the log of the latest life of a container that said anything.
func (m *monitor) lastWords(pod, container string) *ledger.Log {
	var last *ledger.Log
	life := -1
	for key, log := range m.logs {
		if key.pod == pod && key.container == container && key.restarts > life && log.Lines > 0 {
			last, life = log, key.restarts
		}
	}
	return last
}

// causes explain a failed run, with the cluster's events about it.
func (m *monitor) causes(ctx context.Context) []health.Cause {
	root, pods := m.object, m.pods
	if m.sight != nil {
		root, pods = m.sight.object, m.sight.pods
	}
	if root == nil {
		root = m.hook.action.Object
	}
	related := health.Related{Logs: map[health.LogKey][]string{}}
	m.addEvents(ctx, &related, m.hook.run.Object, m.hook.run.UID)
	for _, uid := range m.podOrder {
		pod := pods[uid]
		if pod == nil {
			continue
		}
		related.Objects = append(related.Objects, pod)
		if uid != m.hook.run.UID {
			m.addEvents(ctx, &related, object.RefOf(pod), uid)
		}
		m.addLogs(&related, pod, uid)
		m.hook.engine.addClaims(ctx, &related, pod)
	}
	cause := health.Explain(root, related)
	switch run := m.hook.run; {
	case run.Reason == "Timeout", run.Reason == "Interrupted", run.Reason == "Deleted" && run.Object.Is("batch", "Job"):
		// What the object says now is what our own stopping made of it.
		cause.Reason, cause.Message, cause.Advice = run.Reason, run.Message, ""
	case m.givenUp != "" && !strings.Contains(cause.Message, run.Message):
		cause.Reason, cause.Message = "", m.givenUp
	case cause.Message == "":
		cause.Reason, cause.Message = run.Reason, run.Message
	}
	return []health.Cause{cause}
}

// addClaims reads the claims that keep a pod from being scheduled, and their
// events, as far as they can be had.
func (e *Engine) addClaims(ctx context.Context, related *health.Related, pod *unstructured.Unstructured) {
	if node, _, _ := unstructured.NestedString(pod.Object, "spec", "nodeName"); node != "" {
		return
	}
	volumes, _, _ := unstructured.NestedSlice(pod.Object, "spec", "volumes")
	for _, v := range volumes {
		volume, _ := v.(map[string]any)
		name, _, _ := unstructured.NestedString(volume, "persistentVolumeClaim", "claimName")
		if name == "" {
			continue
		}
		ref := object.Ref{Version: "v1", Kind: "PersistentVolumeClaim", Namespace: pod.GetNamespace(), Name: name}
		claim, err := e.cluster.Get(ctx, ref)
		if err != nil {
			continue
		}
		related.Objects = append(related.Objects, claim)
		if events, err := e.cluster.Events(ctx, ref, string(claim.GetUID())); err == nil {
			related.Events = append(related.Events, healthEvents(events, string(claim.GetUID()))...)
		}
	}
}

// sight is what was seen of a run's objects at one time.
type sight struct {
	object *unstructured.Unstructured
	pods   map[string]*unstructured.Unstructured
}

// keepSight keeps what is seen now for the causes: what follows, such as a
// container that is killed, is our own doing.
func (m *monitor) keepSight() {
	m.sight = &sight{object: m.object, pods: map[string]*unstructured.Unstructured{}}
	for uid, pod := range m.pods {
		m.sight.pods[uid] = pod
	}
}

// withRoot is a failed Job's message with what befell its pod or container,
// which is what a reader wants to know first.
func withRoot(run ledger.Run, causes []health.Cause) string {
	if !run.Object.Is("batch", "Job") || len(causes) != 1 {
		return run.Message
	}
	first, ok := firstCause(causes[0])
	switch {
	case !ok:
		return run.Message
	case !strings.Contains(run.Message, first.Message):
		return fmt.Sprintf("%s; %s", first.Sentence(), run.Message)
	}
	if deeper, ok := firstCause(first); ok && deeper.Reason != "" && !strings.Contains(run.Message, deeper.Message) {
		return fmt.Sprintf("%s; %s", run.Message, deeper.Sentence())
	}
	return run.Message
}

// firstCause is the uppermost cause below an object that says something, where
// there is no other beside it.
func firstCause(c health.Cause) (health.Cause, bool) {
	for len(c.Children) == 1 {
		if c = c.Children[0]; c.Message != "" {
			return c, true
		}
	}
	return c, false
}

// evidenceLines is how many of a container's last lines a cause shows.
const evidenceLines = 20

// addLogs adds what each container said last.
func (m *monitor) addLogs(related *health.Related, pod *unstructured.Unstructured, uid string) {
	for _, c := range containersOf(pod) {
		log := m.lastWords(uid, c.Name)
		if log == nil {
			continue
		}
		var lines []string
		for _, l := range log.Last(evidenceLines) {
			lines = append(lines, l.Text)
		}
		related.Logs[health.LogKey{Namespace: pod.GetNamespace(), Pod: pod.GetName(), Container: c.Name}] = lines
	}
}

// addEvents reads the events about one object. They are evidence, not the
// verdict: without permission to read them the explanation goes without.
func (m *monitor) addEvents(ctx context.Context, related *health.Related, about object.Ref, uid string) {
	events, err := m.hook.engine.cluster.Events(ctx, about, uid)
	if err != nil {
		return
	}
	m.events = append(m.events, events...)
	related.Events = append(related.Events, healthEvents(events, uid)...)
}

func healthEvents(events []ledger.ObjectEvent, uid string) []health.Event {
	var out []health.Event
	for _, ev := range events {
		out = append(out, health.Event{
			About: ev.Object, UID: uid, Type: ev.Type, Reason: ev.Reason, Message: ev.Message, Count: ev.Count, Last: ev.Time,
		})
	}
	return out
}

// addEvidence reads events and the last log lines of an awaited object and its
// pods, as far as they can be had.
func (e *Engine) addEvidence(ctx context.Context, related *health.Related, obj *unstructured.Unstructured) {
	related.Logs = map[health.LogKey][]string{}
	about := append([]*unstructured.Unstructured{obj}, related.Owned(obj, "ReplicaSet")...)
	pods := related.Pods(obj)
	for _, o := range append(about, pods...) {
		events, err := e.cluster.Events(ctx, object.RefOf(o), string(o.GetUID()))
		if err == nil {
			related.Events = append(related.Events, healthEvents(events, string(o.GetUID()))...)
		}
	}
	for _, pod := range pods {
		e.addClaims(ctx, related, pod)
		for _, c := range containersOf(pod) {
			if c.Restarts == 0 && !c.HasRun {
				continue
			}
			lines, err := e.cluster.Tail(ctx, object.RefOf(pod), c.Name, evidenceLines)
			if err != nil {
				continue
			}
			key := health.LogKey{Namespace: pod.GetNamespace(), Pod: pod.GetName(), Container: c.Name}
			for _, l := range lines {
				related.Logs[key] = append(related.Logs[key], l.Text)
			}
		}
	}
}
