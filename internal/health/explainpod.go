package health

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// pod explains one pod: what befalls it as a whole, its containers, or, where
// neither says anything, its events.
func (e explainer) pod(p *unstructured.Unstructured) Cause {
	o := content(p)
	c := Cause{Subject: object.RefOf(p).String()}
	if f, ok := e.wholePod(p); ok {
		c.Reason, c.Message, c.Advice = f.reason, f.message, f.advice
		c.Children = e.claims(p)
	}
	for _, con := range containers(o) {
		if child, ok := e.container(p, con); ok {
			if c.Message != "" && child.ExitCode != nil {
				child.Advice = "" // it ended because the pod was ended
			}
			c.Children = append(c.Children, child)
		}
	}
	if _, gone := deletion(o); len(c.Children) == 0 && (gone || o.at("status").text("phase") == "Failed") {
		c.Children = e.interrupted(p)
	}
	if c.Reason == "Unschedulable" && len(c.Children) > 0 && waitsForClaims(c.Message) {
		c.Advice = "" // the claim has its own
	}
	if c.Message != "" || len(c.Children) > 0 {
		return c
	}
	if o.at("status").text("phase") == "Succeeded" || o.condition("Ready").isTrue() {
		return c
	}
	if f, ok := podEvent(e.related.about(p), o); ok {
		c.Reason, c.Message, c.Advice = f.reason, f.message, f.advice
		c.Children = e.claims(p)
		return c
	}
	s := podProgress(o)
	if o.at("status").text("phase") == "Failed" {
		s = podFailure(o)
	}
	c.Reason, c.Message = s.Reason, s.Message
	return c
}

// wholePod recognises what befell a pod as a whole.
func (e explainer) wholePod(p *unstructured.Unstructured) (finding, bool) {
	if f, ok := podFinding(content(p)); ok || e.own[p.GetName()] {
		return f, ok
	}
	return deletion(content(p))
}

// container explains one container, with its last log lines where it ran.
func (e explainer) container(p *unstructured.Unstructured, con container) (Cause, bool) {
	o := content(p)
	f, ok := con.finding(o)
	if !ok {
		return Cause{}, false
	}
	events := e.related.about(p)
	if _, isImage := imageReasons[f.reason]; isImage {
		f = imageError(con, o, con.waiting().text("message")+" "+pullEvent(events, con.image()))
	}
	if f.exitCode != nil {
		f = killedBy(f, con, events)
	}
	c := Cause{Subject: con.title(), Reason: f.reason, Message: f.message, ExitCode: f.exitCode, Advice: f.advice, Predicate: f.predicate}
	if f.log {
		c.Lines = e.related.log(p, con.name)
		c.Advice = f.adviceWith(c.Lines)
	}
	return c, true
}

// adviceWith drops the advice to see the log where the log is shown.
func (f finding) adviceWith(lines []string) string {
	if len(lines) > 0 && f.advice == "see its log" {
		return ""
	}
	return f.advice
}

// imageReasons are those whose answer older kubelets tell in an event only.
var imageReasons = map[string]struct{}{"ErrImagePull": {}, "ImagePullBackOff": {}}

// pullEvent is the registry's answer as an event tells it.
func pullEvent(events []Event, image string) string {
	for _, e := range events {
		if e.Reason == "Failed" && strings.HasPrefix(e.Message, "Failed to pull image") && strings.Contains(e.Message, image) {
			return e.Message
		}
	}
	return ""
}

// killedBy adds who killed a container, when an event tells.
func killedBy(f finding, con container, events []Event) finding {
	if *f.exitCode != 137 && *f.exitCode != 143 || f.reason == "OOMKilled" {
		return f
	}
	for _, e := range events {
		if e.Reason == "Killing" && strings.Contains(e.Message, con.name) && strings.Contains(e.Message, "liveness probe") {
			f.message += "; the kubelet killed it because its liveness probe failed"
			f.advice = "see why the probe fails, or give it more time (initialDelaySeconds, failureThreshold, a startupProbe)"
			if said, _ := probeEvent(events, "Liveness"); said != "" {
				f.message += ": " + said
			}
			return f
		}
	}
	return f
}

// probeEvent is what the last failed probe of that kind said.
func probeEvent(events []Event, kind string) (said string, ok bool) {
	for _, e := range events {
		if rest, is := strings.CutPrefix(e.Message, kind+" probe "); is && e.Reason == "Unhealthy" {
			_, said, _ = strings.Cut(rest, ": ")
			return sentence(said), true
		}
	}
	return "", false
}

// podEvent finds in a pod's events what its status does not tell: volumes
// that cannot be mounted, a sandbox that cannot be made, a failing probe.
func podEvent(events []Event, pod node) (finding, bool) {
	for _, e := range events {
		switch e.Reason {
		case "FailedMount", "FailedAttachVolume":
			return mountFailure(e), true
		case "FailedCreatePodSandBox", "FailedCreatePodContainer":
			return finding{reason: e.Reason, message: "the node cannot set up the pod: " + sentence(e.Message),
				advice: "the trouble is on the node: its network plugin, its container runtime or its space"}, true
		case "FailedScheduling":
			return unschedulable(e.Message, pod), true
		case "Unhealthy":
			for _, kind := range []string{"Readiness", "Startup", "Liveness"} {
				if said, ok := probeEvent([]Event{e}, kind); ok {
					return unhealthy(strings.ToLower(kind), said), true
				}
			}
		}
	}
	return finding{}, false
}

func unhealthy(kind, said string) finding {
	f := finding{reason: "Unhealthy", message: fmt.Sprintf("its %s probe fails", kind),
		advice: "check what the probe asks for, and the container's log"}
	if said != "" {
		f.message += ": " + said
	}
	return f
}

// mountFailure names what a volume lacks.
func mountFailure(e Event) finding {
	f := finding{reason: e.Reason, message: "a volume cannot be mounted: " + sentence(e.Message)}
	if m, ok := missingObject(e.Message); ok {
		f.message, f.advice = m.message(), m.advice()
		return f
	}
	if strings.Contains(e.Message, "Multi-Attach") {
		f.advice = "the volume is still attached to another node; the pod there must end first (strategy Recreate avoids this)"
	}
	return f
}
