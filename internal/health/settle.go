package health

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Settling answers the question that Kubernetes leaves open for containers
// without a readiness probe: such a container is Ready the instant it starts,
// so one that crashes at once is Ready for a moment. It counts as settled when
// it has been seen running for Settle without a restart in between: for longer
// on a node that is slow to tell, which would tell of its end as late, and
// after a restart, since what has crashed is likely to crash again.
//
// Settling remembers when it first saw each container run. It reads no clock:
// the caller passes the time of each observation, from one clock of its own,
// and asks again when Remaining says so or when a pod has changed. The zero
// value with Settle set is ready for use; it is not safe for concurrent use.
type Settling struct {
	// Settle is how long a container must run at least, and at most
	// five times as long; 0 or less means not at all.
	Settle time.Duration

	since map[instance]time.Time
}

// instance is one life of one container: a restart makes another.
type instance struct {
	pod, container string
	restarts       int
}

// believable is how far back a start must lie for us to believe the node's
// clock about it; nearer ones are timed by our own clock, since the two differ.
const believable = time.Minute

const (
	// mostSettle is how many times Settle a container must run at most.
	mostSettle = 5
	// slowness is how many times as long as its node took to tell of its start.
	slowness = 3
)

// Remaining is how long it takes until every container without a readiness
// probe in these pods will have run for long enough: 0 when all have, and Settle
// or more when one of them does not run now; then run is false. Pods that have ended (an evicted one is
// left behind when its controller has made another) or are being deleted do
// not count, and a container that has a probe, an init container,
// or one that has ended well, never holds anything up.
func (s *Settling) Remaining(pods []*unstructured.Unstructured, now time.Time) (rest time.Duration, run bool) {
	if s.Settle <= 0 {
		return 0, true
	}
	seen := make(map[instance]time.Time, len(s.since))
	run = true
	for _, pod := range pods {
		one, running := s.pod(content(pod), now, seen)
		rest, run = max(rest, one), run && running
	}
	s.since = seen // lives that are over are forgotten
	return rest, run
}

func (s *Settling) pod(pod node, now time.Time, seen map[instance]time.Time) (rest time.Duration, run bool) {
	meta := pod.at("metadata")
	phase := pod.at("status").text("phase")
	if meta.text("deletionTimestamp") != "" || phase == "Succeeded" || phase == "Failed" {
		return 0, true
	}
	run = true
	slow := slowness * toldAfter(pod)
	for _, c := range containers(pod) {
		if c.init || c.hasReadiness() {
			continue
		}
		limit := min(max(s.Settle, slow), mostSettle*s.Settle)
		if c.restarts() > 0 {
			limit = mostSettle * s.Settle
		}
		if end := c.terminated(); end != nil && end.number("exitCode", 0) == 0 {
			continue
		}
		if !c.running() {
			rest, run = max(rest, limit), false
			continue
		}
		life := instance{pod: meta.text("uid"), container: c.name, restarts: c.restarts()}
		start, known := s.since[life]
		if !known {
			start = firstSeen(c, now)
		}
		seen[life] = start
		rest = max(rest, limit-now.Sub(start))
	}
	return rest, run
}

// toldAfter is how long the pod's node took to tell that the last container to
// start runs: both times are those of the node's clock, in whole seconds.
func toldAfter(pod node) time.Duration {
	ready := pod.condition("Ready")
	told, err := time.Parse(time.RFC3339, ready.text("lastTransitionTime"))
	if err != nil || !ready.isTrue() {
		return 0
	}
	var last time.Time
	for _, c := range containers(pod) {
		if started, err := time.Parse(time.RFC3339, c.status.at("state", "running").text("startedAt")); err == nil && started.After(last) {
			last = started
		}
	}
	if last.IsZero() {
		return 0
	}
	return max(0, told.Sub(last))
}

func firstSeen(c container, now time.Time) time.Time {
	started, err := time.Parse(time.RFC3339, c.status.at("state", "running").text("startedAt"))
	if err == nil && now.Sub(started) > believable {
		return started
	}
	return now
}
