package health

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/pattern"
	"k8s.io/apimachinery/pkg/api/resource"
)

// unschedulable turns the scheduler's message round: it counts nodes by what
// excludes them, such as "0/3 nodes are available: 1 node(s) had untolerated
// taint {k: v}, 2 Insufficient memory. preemption: ...". The pod tells what it
// asks for.
func unschedulable(message string, pod node) finding {
	f := finding{reason: "Unschedulable", message: "no node can take the pod: " + sentence(message)}
	if m := noClaim().FindStringSubmatch(message); m != nil {
		f.message = fmt.Sprintf("the PersistentVolumeClaim %q does not exist", m[1])
		f.advice = "create the claim, or correct its name in the chart's values"
		return f
	}
	m := nodesAvailable().FindStringSubmatch(message)
	if m == nil {
		return f
	}
	total := m[1]
	why, _, _ := strings.Cut(m[2], "preemption:")
	why, _, _ = strings.Cut(why, "no new claims to deallocate") // since Kubernetes 1.34, when it has no bearing
	var parts, advice, short []string
	for _, part := range splitReasons(sentence(why)) {
		text, tip := nodeReason(part, total)
		if _, what, is := strings.Cut(part, " Insufficient "); is {
			if !contains(short, what) {
				short = append(short, what)
			}
			if asked := requested(pod, what); asked != "" {
				text += " (it asks for " + asked + ")"
			}
		}
		parts = append(parts, text)
		if tip != "" && !contains(advice, tip) {
			advice = append(advice, tip)
		}
	}
	subject := fmt.Sprintf("none of the %s nodes can take the pod: ", total)
	if total == "1" {
		subject = "the only node cannot take the pod: "
	}
	f.message = subject + strings.Join(parts, "; ")
	if len(short) > 0 {
		advice = append(advice, "lower what the pod requests ("+strings.Join(short, ", ")+"), or add nodes")
	}
	f.advice = strings.Join(advice, "; ")
	return f
}

// requested is how much of a resource a pod asks for: what its containers need
// together, or an init container alone where that is more. Empty where nothing
// is to be read.
func requested(pod node, what string) string {
	var sum, most resource.Quantity
	for _, c := range containers(pod) {
		q, err := resource.ParseQuantity(fmt.Sprint(c.spec.at("resources", "requests")[what]))
		if err != nil {
			continue
		}
		switch {
		case c.init && !c.sidecar():
			if q.Cmp(most) > 0 {
				most = q
			}
		default:
			sum.Add(q)
		}
	}
	if most.Cmp(sum) > 0 {
		sum = most
	}
	if sum.IsZero() {
		return ""
	}
	if what == "cpu" && sum.MilliValue()%1000 == 0 {
		return strconv.FormatInt(sum.Value(), 10) // not 1k, which is how the API server writes 1000
	}
	return sum.String()
}

// waitsForClaims tells that claims are why a pod has no node.
func waitsForClaims(message string) bool { return strings.Contains(message, "PersistentVolumeClaim") }

var (
	nodesAvailable = pattern.Lazy(`(?s)^\d+/(\d+) nodes are available: (.*)$`)
	noClaim        = pattern.Lazy(`persistentvolumeclaim "([^"]+)" not found`)
	counted        = pattern.Lazy(`^(\d+) (.*)$`)
	nextReason     = pattern.Lazy(`, (\d+ )`)
)

// splitReasons cuts at commas that are followed by a count: taints and
// selectors have commas of their own.
func splitReasons(text string) []string {
	return strings.Split(nextReason().ReplaceAllString(text, "\x00$1"), "\x00")
}

func nodeCount(n string) string {
	if n == "1" {
		return "1 node"
	}
	return n + " nodes"
}

// nodeReason puts one of the scheduler's reasons in words; the number of
// nodes is left out where it is all of them.
func nodeReason(part, total string) (text, advice string) {
	nodes, why := "", part
	if m := counted().FindStringSubmatch(part); m != nil {
		why = m[2]
		if m[1] != total {
			nodes = "on " + nodeCount(m[1]) + " "
		}
	}
	switch {
	case strings.HasPrefix(why, "Insufficient "):
		what := strings.TrimPrefix(why, "Insufficient ")
		return nodes + "not enough free " + what, ""
	case strings.Contains(why, "untolerated taint"):
		_, taint, _ := strings.Cut(why, "taint ") // since Kubernetes 1.34 it is not told which
		return nodes + strings.TrimSpace("an untolerated taint "+taint), "add a toleration, or remove the taint"
	case strings.Contains(why, "volume node affinity conflict"):
		return nodes + "its volume lives elsewhere", "the volume ties the pod to a node or zone that cannot take it"
	case strings.Contains(why, "node affinity/selector"), strings.Contains(why, "node selector"), strings.Contains(why, "node affinity"):
		return nodes + "the pod's nodeSelector or node affinity does not match", "label a node, or correct nodeSelector and affinity"
	case strings.Contains(why, "pod anti-affinity"):
		return nodes + "the pod's anti-affinity excludes the pods already there", "add nodes, or make the anti-affinity a preference"
	case strings.Contains(why, "pod affinity"):
		return nodes + "the pods that it wants to be near are not there", "check the pod's affinity"
	case strings.Contains(why, "topology spread"):
		return nodes + "the topology spread constraints do not hold", "add nodes, or relax the constraints"
	case strings.Contains(why, "unbound immediate PersistentVolumeClaims"):
		return nodes + "waiting for a PersistentVolumeClaim to be bound", "see the claim"
	case strings.Contains(why, "available persistent volumes to bind"):
		return nodes + "no volume that its PersistentVolumeClaim could bind", "see the claim and its StorageClass"
	case strings.Contains(why, "free ports"):
		return nodes + "the host port is taken", "avoid hostPort, or add nodes"
	case strings.Contains(why, "unschedulable"):
		return nodes + "scheduling is switched off (cordoned)", "uncordon the node"
	case why == "Too many pods":
		return nodes + "the limit of pods is reached", "add nodes"
	}
	return nodes + why, ""
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
