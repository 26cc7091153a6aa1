package health

import (
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Related is what Explain may look at beside the object itself. All of it is
// optional: the more there is, the deeper the explanation.
type Related struct {
	// Objects are pods, ReplicaSets, Jobs, PersistentVolumeClaims,
	// StorageClasses: whatever was gathered, in any order. Explain follows
	// ownerReferences and names, so unrelated objects do no harm.
	Objects []*unstructured.Unstructured
	Events  []Event
	// Logs are the last lines that containers wrote.
	Logs map[LogKey][]string
}

// LogKey names a container whose log is known.
type LogKey struct{ Namespace, Pod, Container string }

// Event is a Kubernetes event about one object.
type Event struct {
	About object.Ref
	// UID is that of the object, where it is known; it tells a pod from a
	// later one of the same name.
	UID     string
	Type    string
	Reason  string
	Message string
	Count   int
	Last    time.Time
}

// Owned are the related objects of that kind which the owner controls, newest
// first; of two made in the same second, the one with the later name.
func (r Related) Owned(owner *unstructured.Unstructured, kind string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range r.Objects {
		if o.GetKind() == kind && ownedBy(o, owner) {
			out = append(out, o)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := created(out[i]), created(out[j])
		if a != b {
			return a > b
		}
		return out[i].GetName() > out[j].GetName()
	})
	return out
}

// created is the creation time as written: RFC 3339 in UTC, which sorts as text.
func created(u *unstructured.Unstructured) string {
	return content(u).at("metadata").text("creationTimestamp")
}

func ownedBy(o, owner *unstructured.Unstructured) bool {
	for _, ref := range content(o).at("metadata").list("ownerReferences") {
		if ref.text("uid") == string(owner.GetUID()) && ref.text("uid") != "" {
			return true
		}
	}
	return false
}

// Pods are the pods that count for an object now: the pod itself, the pods
// that it owns, or, for a Deployment, those of its newest ReplicaSet. Pods
// that are being deleted are left out.
func (r Related) Pods(root *unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	switch root.GetKind() {
	case "Pod":
		return []*unstructured.Unstructured{root}
	case "Deployment":
		rs := r.newest(root)
		if rs == nil {
			return nil
		}
		out = r.Owned(rs, "Pod")
	default:
		out = r.Owned(root, "Pod")
	}
	return slices.DeleteFunc(out, func(p *unstructured.Unstructured) bool { return p.GetDeletionTimestamp() != nil })
}

// newest is the ReplicaSet of a Deployment's latest revision.
func (r Related) newest(deployment *unstructured.Unstructured) *unstructured.Unstructured {
	var best *unstructured.Unstructured
	revision := -1
	for _, rs := range r.Owned(deployment, "ReplicaSet") {
		n, _ := strconv.Atoi(rs.GetAnnotations()["deployment.kubernetes.io/revision"])
		if n > revision {
			best, revision = rs, n
		}
	}
	return best
}

// find looks an object up by kind, namespace and name.
func (r Related) find(kind, namespace, name string) *unstructured.Unstructured {
	for _, o := range r.Objects {
		if o.GetKind() == kind && o.GetNamespace() == namespace && o.GetName() == name {
			return o
		}
	}
	return nil
}

// about are the events of one object, newest first.
func (r Related) about(u *unstructured.Unstructured) []Event {
	ref := object.RefOf(u)
	var out []Event
	for _, e := range r.Events {
		same := e.About.Kind == ref.Kind && e.About.Namespace == ref.Namespace && e.About.Name == ref.Name
		if same && (e.UID == "" || e.UID == string(u.GetUID())) {
			out = append(out, e)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Last.After(out[j].Last) })
	return out
}

func (r Related) log(pod *unstructured.Unstructured, container string) []string {
	return r.Logs[LogKey{Namespace: pod.GetNamespace(), Pod: pod.GetName(), Container: container}]
}
