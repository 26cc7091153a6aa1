package health

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Explain says why an object is not as it should be, as a tree from the object
// down to root causes: a Deployment holds its newest ReplicaSet, that its
// pods, a pod its containers. It explains hooks (a Job that failed), tests and
// waits alike, and what is still under way as well as what has failed. Of
// several pods that fail in the same way one is shown, with the number of the
// others. An object with which nothing is wrong gives a node without message.
func Explain(root *unstructured.Unstructured, related Related) Cause {
	e := explainer{related: related}
	switch gvk := root.GroupVersionKind(); gvk.Kind {
	case "Pod":
		return e.pod(root)
	case "Job":
		return e.job(root)
	case "Deployment":
		return e.deployment(root)
	case "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController":
		return e.owner(root)
	case "PersistentVolumeClaim":
		return e.claim(root)
	default:
		return e.other(root)
	}
}

// explainer carries what is known of the object's surroundings.
type explainer struct {
	related Related
	// own are pods whose deletion needs no words: a Job's controller did it.
	own map[string]bool
}

// base is a node with the status as its message.
func base(obj *unstructured.Unstructured, s Status) Cause {
	c := Cause{Subject: object.RefOf(obj).String()}
	if s.State != Ready {
		c.Reason, c.Message = s.Reason, s.Message
	}
	if ownReasons[s.Reason] {
		c.Reason = ""
	}
	return c
}

// ownReasons are words of this package that explain nothing: nobody can look
// them up in Kubernetes' documentation.
var ownReasons = map[string]bool{
	"InitRunning": true, "NotReady": true, "Pending": true, "RollingOut": true, "Running": true, Unobserved: true,
}

func (e explainer) job(job *unstructured.Unstructured) Cause {
	s := Completion(job)
	c := base(job, s)
	c.Advice = jobAdvice[c.Reason]
	e.own = ownDeletions(e.related.about(job))
	c.Children = e.pods(e.related.Owned(job, "Pod"))
	if len(c.Children) == 0 {
		c.Children = e.refusals(job)
	}
	if s.State == InProgress && s.Reason == "Running" && len(c.Children) > 0 {
		c.Message = "" // how many pods are active explains nothing
	}
	if c.Reason == "BackoffLimitExceeded" && len(c.Children) > 0 || advised(c.Children) {
		c.Advice = "" // the reason is below
	}
	return c
}

// advised tells that the roots of some causes say what to do.
func advised(causes []Cause) bool {
	for _, c := range causes {
		if c.Advice != "" || advised(c.Children) {
			return true
		}
	}
	return false
}

// jobAdvice is for verdicts that the pods do not explain by themselves.
var jobAdvice = map[string]string{
	"BackoffLimitExceeded": "its pods are gone; see the stored log, or run it again",
	"DeadlineExceeded":     "raise activeDeadlineSeconds, or see in the log what took so long",
	"Suspended":            "set spec.suspend to false",
}

func (e explainer) deployment(d *unstructured.Unstructured) Cause {
	s := Readiness(d, DefaultOptions())
	c := base(d, s)
	if rs := e.related.newest(d); rs != nil {
		if child := e.owner(rs); len(child.Children) > 0 {
			child.Message = "" // the Deployment counts the same replicas
			c.Children = []Cause{child}
		}
	}
	if len(c.Children) == 0 {
		c.Children = e.refusals(d)
	}
	if content(d).condition("ReplicaFailure").isTrue() && s.State == InProgress {
		c.Reason, c.Message = "", replicas(content(d)) // why is below
	}
	return c
}

// owner explains a workload that makes pods itself.
func (e explainer) owner(u *unstructured.Unstructured) Cause {
	c := base(u, Readiness(u, DefaultOptions()))
	c.Children = e.pods(e.related.Owned(u, "Pod"))
	if len(c.Children) == 0 {
		c.Children = e.refusals(u)
	}
	return c
}

// refusals explains from its events why a controller could not make pods.
func (e explainer) refusals(u *unstructured.Unstructured) []Cause {
	for _, event := range e.related.about(u) {
		if event.Reason == "FailedCreate" {
			return []Cause{refused("its pods", event.Message)}
		}
	}
	if f := content(u).condition("ReplicaFailure"); f.isTrue() {
		return []Cause{refused("its pods", f.text("message"))}
	}
	return nil
}

func refused(subject, message string) Cause {
	f := refusal(refusalText(message))
	return Cause{Subject: subject, Reason: f.reason, Message: f.message, Advice: f.advice}
}

// refusalText drops what controllers put before the API server's answer.
func refusalText(message string) string { return strings.TrimPrefix(message, "Error creating: ") }

// pods explains those pods with which something is wrong; alike ones once.
func (e explainer) pods(pods []*unstructured.Unstructured) []Cause {
	var out []Cause
	more := map[int]int{}
	seen := map[string]int{}
	for _, p := range pods {
		c := e.pod(p)
		if c.Message == "" && len(c.Children) == 0 {
			continue
		}
		key := signature(c)
		if at, ok := seen[key]; ok {
			more[at]++
			continue
		}
		seen[key] = len(out)
		out = append(out, c)
	}
	for at, n := range more {
		out[at].Subject += fmt.Sprintf(" (and %d more alike)", n)
	}
	return out
}

// signature is what makes two pods' troubles the same: the same containers
// ended with the same codes, or have the same reason. A crash loop shows as an
// ended container or as a waiting one, as the moment wants it.
func signature(c Cause) string {
	var b strings.Builder
	for _, r := range c.Roots() {
		subject, what := r.Subject, r.Reason
		if strings.HasPrefix(subject, "Pod/") {
			subject = "Pod"
		}
		if r.ExitCode != nil {
			what = fmt.Sprintf("exit %d", *r.ExitCode)
		}
		fmt.Fprintf(&b, "%s\x00%s\x00", subject, what)
	}
	return b.String()
}

// other explains kinds that have no pods: by their conditions and warnings.
func (e explainer) other(u *unstructured.Unstructured) Cause {
	c := base(u, Readiness(u, DefaultOptions()))
	if u.GetKind() == "Service" && c.Reason == "NoAddress" {
		c.Advice = "the cluster may have no load balancer; use another Service type, or annotate it with pintle.dev/wait: ignore"
	}
	for _, event := range e.related.about(u) {
		if event.Type == "Warning" && c.Message != "" {
			c.Children = append(c.Children, Cause{Subject: "event", Reason: event.Reason, Message: sentence(event.Message)})
			break
		}
	}
	return c
}
