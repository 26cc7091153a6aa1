package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// leases is the resource that holds locks.
var leases = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}

// The annotations of a lock's Lease; docs/formats/lock.md describes them.
const (
	holderAnnotation     = "pintle.dev/holder"
	operationAnnotation  = "pintle.dev/operation"
	revisionAnnotation   = "pintle.dev/revision"
	startedAnnotation    = "pintle.dev/started"
	unrecordedAnnotation = "pintle.dev/unrecorded"
	abandonedAnnotation  = "pintle.dev/abandoned"
	journalAnnotation    = "pintle.dev/journal"
)

const (
	namePrefix = "pintle."
	// maxName is what Kubernetes allows for the name of a Lease.
	maxName = 253
	// maxLabel is what it allows for a label's value.
	maxLabel = 63
)

// Name is the name of a release's Lease. Helm's limit of 53 characters leaves
// room; a longer name, which only a record of another tool could have, is cut
// and made unique again by a hash.
func Name(release string) string {
	if len(namePrefix)+len(release) <= maxName {
		return namePrefix + release
	}
	sum := sha256.Sum256([]byte(release))
	mark := "-" + hex.EncodeToString(sum[:])[:16]
	return namePrefix + release[:maxName-len(namePrefix)-len(mark)] + mark
}

// Intent is what a holder is about to do. Revision is 0 until it is known,
// which is before anything is changed.
type Intent struct {
	Operation string
	Revision  int
}

// State is a lock as it was read from the cluster.
type State struct {
	Release   string
	Namespace string
	// Holder is nobody when the lock was given back in a state that the next
	// run has to deal with.
	Holder Holder
	Intent Intent
	// Since is when the operation took the lock, and Renewed when it last said
	// that it lives; both by the holder's clock.
	Since, Renewed time.Time
	// Unrecorded are revisions whose operation ended without a final record.
	Unrecorded []int
	// Journal is how far the operation has come, in words of internal/lifecycle.
	Journal string
	// Abandoned says why the last holder left something behind.
	Abandoned string

	// owners are the objects without which the Lease is of no use to anybody;
	// none while it is held.
	owners []metav1.OwnerReference

	identity string
	expiry   time.Duration
	stored   *unstructured.Unstructured
}

// Left are the revisions that a holder leaves without a final record if it is
// gone: those that it found, and the one that it worked on.
func (s State) Left() []int {
	left := slices.Clone(s.Unrecorded)
	if s.Intent.Revision > 0 && !slices.Contains(left, s.Intent.Revision) {
		left = append(left, s.Intent.Revision)
	}
	return left
}

// read takes a Lease apart. What is missing or broken comes out empty: a lock
// must be readable whoever has edited it.
func read(obj *unstructured.Unstructured) State {
	notes := obj.GetAnnotations()
	s := State{
		Release: strings.TrimPrefix(obj.GetName(), namePrefix), Namespace: obj.GetNamespace(),
		Intent: Intent{Operation: notes[operationAnnotation]}, Abandoned: notes[abandonedAnnotation], Journal: notes[journalAnnotation], stored: obj,
	}
	s.identity, _, _ = unstructured.NestedString(obj.Object, "spec", "holderIdentity")
	if s.identity != "" && json.Unmarshal([]byte(notes[holderAnnotation]), &s.Holder) != nil {
		s.Holder = Holder{User: s.identity}
	}
	s.Intent.Revision, _ = strconv.Atoi(notes[revisionAnnotation])
	s.Since, _ = time.Parse(time.RFC3339, notes[startedAnnotation])
	renewed, _, _ := unstructured.NestedString(obj.Object, "spec", "renewTime")
	s.Renewed, _ = time.Parse(time.RFC3339Nano, renewed)
	seconds, _, _ := unstructured.NestedInt64(obj.Object, "spec", "leaseDurationSeconds")
	s.expiry = time.Duration(seconds) * time.Second
	for text := range strings.SplitSeq(notes[unrecordedAnnotation], ",") {
		if n, err := strconv.Atoi(text); err == nil {
			s.Unrecorded = append(s.Unrecorded, n)
		}
	}
	return s
}

// write makes the Lease that says what the state says. Over a stored one it
// replaces exactly that version, and keeps what others have put there.
func (s State) write(now time.Time) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	transitions := int64(0)
	if s.stored != nil {
		obj = s.stored.DeepCopy()
		obj.SetManagedFields(nil)
		transitions, _, _ = unstructured.NestedInt64(obj.Object, "spec", "leaseTransitions")
		if was, _, _ := unstructured.NestedString(obj.Object, "spec", "holderIdentity"); was != s.identity && s.identity != "" {
			transitions++
		}
	}
	obj.SetGroupVersionKind(leases.GroupVersion().WithKind("Lease"))
	obj.SetName(Name(s.Release))
	obj.SetNamespace(s.Namespace)
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels["owner"] = "pintle"
	if len(s.Release) <= maxLabel {
		labels["name"] = s.Release
	}
	obj.SetLabels(labels)
	obj.SetAnnotations(s.notes(obj.GetAnnotations()))
	obj.SetOwnerReferences(s.owners)
	spec := map[string]any{
		"leaseDurationSeconds": int64(s.expiry / time.Second), "leaseTransitions": transitions,
		"acquireTime": micro(s.Since), "renewTime": micro(now),
	}
	if s.identity != "" {
		spec["holderIdentity"] = s.identity
	}
	obj.Object["spec"] = spec
	return obj
}

func (s State) notes(notes map[string]string) map[string]string {
	if notes == nil {
		notes = map[string]string{}
	}
	put := func(name, value string) {
		if delete(notes, name); value != "" {
			notes[name] = value
		}
	}
	holder := ""
	if s.identity != "" {
		text, _ := json.Marshal(s.Holder) // plain text and a number always have a JSON form
		holder = string(text)
	}
	var unrecorded []string
	for _, n := range s.Unrecorded {
		unrecorded = append(unrecorded, strconv.Itoa(n))
	}
	revision := ""
	if s.Intent.Revision > 0 {
		revision = strconv.Itoa(s.Intent.Revision)
	}
	put(holderAnnotation, holder)
	put(operationAnnotation, s.Intent.Operation)
	put(revisionAnnotation, revision)
	put(startedAnnotation, s.Since.UTC().Format(time.RFC3339))
	put(unrecordedAnnotation, strings.Join(unrecorded, ","))
	put(abandonedAnnotation, s.Abandoned)
	put(journalAnnotation, s.Journal)
	return notes
}

// micro is a time as Leases hold it.
func micro(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }
