package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// monitor sees one hook's Job or Pod through: it judges what the watch shows,
// follows the logs of every container, and keeps what a person needs afterwards.
type monitor struct {
	hook *hookRun
	// object is the Job or Pod as last seen; pods are by UID, in order of appearance.
	object   *unstructured.Unstructured
	pods     map[string]*unstructured.Unstructured
	podOrder []string
	last     health.Status
	patience *patience
	hints    *hints
	events   []ledger.ObjectEvent
	// givenUp says why the run was not waited for any longer; empty where it was.
	givenUp string
	// sight is what was seen before the run was stopped; nil where it was not.
	sight *sight

	// following is the life of the log followers, longer than the hook's time limit.
	following context.Context
	close     context.CancelFunc
	followers sync.WaitGroup
	mu        sync.Mutex
	logs      map[logKey]*ledger.Log
}

// logKey names one life of one container.
type logKey struct {
	pod, container string
	restarts       int
}

func newMonitor(ctx context.Context, h *hookRun) *monitor {
	m := &monitor{
		hook: h, pods: map[string]*unstructured.Unstructured{}, logs: map[logKey]*ledger.Log{},
		patience: newPatience(h.engine), hints: newHints(h.engine),
	}
	m.patience.impatient = m.patience.impatient || h.action.Impatient
	m.following, m.close = context.WithCancel(ctx)
	return m
}

// follow takes in observations until there is a verdict, or ctx ends: then
// the state is still InProgress.
func (m *monitor) follow(ctx context.Context, seen <-chan object.Observation) health.Status {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return health.Status{State: health.InProgress, Reason: m.last.Reason, Message: m.last.Message}
		case o, ok := <-seen:
			if !ok {
				return health.Status{State: health.InProgress, Message: "the watch ended"}
			}
			if verdict, final := m.take(o); final {
				return verdict
			}
		case <-tick.C:
		}
		if verdict, final := m.hopeless(ctx); final {
			return verdict
		}
	}
}

// take notes one observation and says whether it decides the run.
func (m *monitor) take(o object.Observation) (health.Status, bool) {
	if o.Object == nil {
		return health.Status{}, false // absent before we created it
	}
	uid := string(o.Object.GetUID())
	if o.Ref.Is("", "Pod") && (uid == m.hook.run.UID || m.owned(o.Object)) {
		m.notePod(uid, o.Object)
		if o.Gone {
			m.markEnded(uid)
		}
	}
	if uid != m.hook.run.UID {
		return health.Status{}, false
	}
	m.object = o.Object
	status := health.Completion(o.Object)
	// One that is on its way out has no result to come, however long its grace is.
	leaving := o.Gone || o.Object.GetDeletionTimestamp() != nil
	if leaving && status.State == health.InProgress {
		if m.podsSucceeded() {
			return health.Status{State: health.Ready}, true
		}
		return health.Removal(o.Object), true
	}
	m.show(status)
	return status, status.State != health.InProgress
}

// show tells of a changed state, once.
func (m *monitor) show(s health.Status) {
	if s == m.last {
		return
	}
	m.last = s
	s.Message = m.hook.engine.masker.get().Text(s.Message)
	m.hook.tell(event.ObjectObserved{StepID: m.hook.step.ID, Object: m.hook.run.Object, Status: s, Time: m.hook.engine.now()})
}

// hopeless looks for a pod that cannot run, or has not been able to for too
// long, and for a Job that may not make one.
func (m *monitor) hopeless(ctx context.Context) (health.Status, bool) {
	active := 0
	for _, uid := range m.podOrder {
		pod := m.pods[uid]
		if !podEnded(pod) {
			active++
		}
		trouble, ok := m.hints.podTrouble(ctx, pod)
		if !ok || podEnded(pod) {
			m.patience.well(uid, pod)
			continue
		}
		if verdict, final := m.trouble(uid, pod, trouble); final {
			return verdict, true
		}
	}
	if active > 0 || m.object == nil || m.last.State != health.InProgress {
		return health.Status{}, false
	}
	if trouble, ok := m.hints.about(ctx, m.object); ok {
		return m.trouble(m.hook.run.UID, m.object, trouble)
	}
	return health.Status{}, false
}

// trouble shows what is wrong, and says whether it is given up for that.
func (m *monitor) trouble(uid string, obj *unstructured.Unstructured, trouble health.Status) (health.Status, bool) {
	if m.last.State == health.InProgress {
		m.show(health.Status{State: health.InProgress, Reason: trouble.Reason, Message: trouble.Message, Patience: trouble.Patience})
	}
	if !m.patience.spent(uid, obj, trouble) {
		return health.Status{}, false
	}
	m.givenUp = fmt.Sprintf("it was given up after %s of this (--fail-after)", m.hook.engine.opts.Impatience)
	if trouble.Patience == health.Never {
		m.givenUp = "it was given up at once, since this does not heal"
	}
	return health.Status{State: health.Failed, Reason: trouble.Reason, Message: trouble.Message}, true
}

// atWork tells that the run may still do something, as far as it was seen.
func (m *monitor) atWork() bool {
	return m.hook.run.UID != "" && (m.object == nil || AtWork(m.object))
}

func (m *monitor) owned(pod *unstructured.Unstructured) bool {
	for _, o := range pod.GetOwnerReferences() {
		if string(o.UID) == m.hook.run.UID {
			return true
		}
	}
	return false
}

// notePod keeps the pod's state and follows the logs of its containers that have started.
func (m *monitor) notePod(uid string, pod *unstructured.Unstructured) {
	if _, known := m.pods[uid]; !known {
		m.podOrder = append(m.podOrder, uid)
	}
	m.pods[uid] = pod
	m.hook.secrets.see(pod)
	for _, c := range containersOf(pod) {
		if !c.HasRun {
			continue
		}
		key := logKey{pod: uid, container: c.Name, restarts: c.Restarts}
		if _, following := m.logs[key]; !following {
			m.logs[key] = &ledger.Log{Limits: m.hook.engine.opts.LogLimits}
			m.followLog(object.RefOf(pod), key)
		}
	}
}

func (m *monitor) followLog(pod object.Ref, key logKey) {
	h, log := m.hook, m.logs[key]
	m.followers.Go(func() {
		h.secrets.await(m.following)
		err := h.engine.cluster.Follow(m.following, pod, key.container, func(line ledger.Line) {
			plain := line.Text
			line.Text = h.engine.masker.get().Text(line.Text)
			m.mu.Lock()
			log.Add(line)
			m.mu.Unlock()
			if !h.engine.opts.Unmask {
				plain = ""
			}
			h.tell(event.LogLine{
				StepID: h.step.ID, Hook: h.run.Hook, Test: h.run.Event == release.Test,
				Pod: pod.Name, Container: key.container, Line: line, Plain: plain,
			})
		})
		if err != nil && m.following.Err() == nil {
			m.mu.Lock()
			log.Add(ledger.Line{Time: h.engine.now(), Text: fmt.Sprintf("(the log could not be read to its end: %v)", err)})
			m.mu.Unlock()
		}
	})
}

// drain takes in what was still on its way when the verdict fell: the last
// state of the pods and the last lines of their logs, for a bounded time.
func (m *monitor) drain(ctx context.Context, seen <-chan object.Observation) {
	grace, cancel := context.WithTimeout(ctx, m.hook.engine.opts.DrainGrace)
	defer cancel()
	for !m.podsEnded() && grace.Err() == nil {
		select {
		case o, ok := <-seen:
			if !ok {
				cancel()
			} else if o.Object != nil {
				m.take(o)
			}
		case <-grace.Done():
		}
	}
	m.drainLogs(ctx, 0)
}

// drainLogs ends the followers of the logs: those of pods that have ended when
// they have read all, others after some time.
func (m *monitor) drainLogs(ctx context.Context, unended time.Duration) {
	done := make(chan struct{})
	go func() { m.followers.Wait(); close(done) }()
	if unended > 0 && !m.podsEnded() {
		select {
		case <-done:
		case <-ctx.Done():
		case <-time.After(unended):
		}
	}
	m.awaitLogs(ctx, done)
	m.close()
	<-done
}

// maxDrains is how many graces the logs of pods that have ended are read for.
const maxDrains = 10

// awaitLogs waits for the end of the logs of pods that have ended: those have
// an end, and what counts is at that end. It waits in silence, too: an API server that
// is away now may be back in time, and a log that cannot be read ends by itself.
func (m *monitor) awaitLogs(ctx context.Context, done <-chan struct{}) {
	for range maxDrains {
		if !m.podsEnded() {
			return
		}
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-time.After(m.hook.engine.opts.DrainGrace):
		}
	}
}

// awaitPodsEnd waits until none of the run's pods is active.
func (m *monitor) awaitPodsEnd(ctx context.Context, seen <-chan object.Observation) error {
	for len(m.pods) > 0 && !m.podsEnded() {
		select {
		case <-ctx.Done():
			return errors.New("its pods have not ended; a node that is lost cannot say whether they have")
		case o, ok := <-seen:
			if !ok {
				return nil
			}
			if o.Object != nil {
				m.take(o)
			}
		}
	}
	return nil
}

// markEnded lets a pod that is gone count as ended although nothing says how.
func (m *monitor) markEnded(uid string) {
	if pod, ok := m.pods[uid]; ok && !podEnded(pod) {
		pod = pod.DeepCopy()
		_ = unstructured.SetNestedField(pod.Object, "Failed", "status", "phase") // the path is one that a pod always has as maps
		m.pods[uid] = pod
	}
}

// podsEnded is false while no pod has been seen at all: a Job that completed
// had one.
func (m *monitor) podsEnded() bool {
	for _, pod := range m.pods {
		if !podEnded(pod) {
			return false
		}
	}
	return len(m.pods) > 0
}

func (m *monitor) podsSucceeded() bool {
	for _, pod := range m.pods {
		if phaseOf(pod) == "Succeeded" {
			return true
		}
	}
	return false
}

func podEnded(pod *unstructured.Unstructured) bool {
	p := phaseOf(pod)
	return p == "Succeeded" || p == "Failed"
}

func phaseOf(pod *unstructured.Unstructured) string {
	phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
	return phase
}
