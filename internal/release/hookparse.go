package release

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// oldTest is Helm 2's name of the event test; crdInstall its way to bring a
// CustomResourceDefinition, which is no event any more.
const (
	oldTest    = "test-success"
	crdInstall = "crd-install"
)

// HookReader makes hooks of documents.
type HookReader struct {
	// AllowUnknown goes on as Helm does where a hook's annotations have no
	// meaning: problems become warnings, a hook with an unknown event is
	// dropped, a weight that is no number counts as 0, and an unknown delete
	// policy is kept, which switches the default off.
	AllowUnknown bool
}

// ParseHook reads a document that carries a hook annotation, strictly. See HookReader.Parse.
func ParseHook(doc object.Document, obj *unstructured.Unstructured) (*Hook, diag.List) {
	return HookReader{}.Parse(doc, obj)
}

// Parse makes a hook of a document and the object that it holds. It gives
// nil for an object that is no hook, for one that is dropped, and for one whose
// events have an error; problems have the template's file and the line of the annotation
// in what it rendered. A document of the Helm 2 event crd-install is dropped with a warning.
// Problems of pintle.dev annotations are not looked for: that is CheckAnnotations.
func (r HookReader) Parse(doc object.Document, obj *unstructured.Unstructured) (*Hook, diag.List) {
	if !IsHook(obj) {
		return nil, nil
	}
	head := headOf(obj)
	h := &Hook{
		Name:     obj.GetName(),
		Kind:     obj.GetKind(),
		Path:     doc.Source,
		Manifest: doc.Body(),
		head:     head,
	}
	p := hookProblems{problemList: problemList{doc: doc, obj: obj}, unknown: diag.Error}
	if r.AllowUnknown {
		p.unknown = diag.Warning
	}
	h.Events = p.events(head.annotations[HookAnnotation])
	h.Weight = p.weight(head.annotations[WeightAnnotation])
	h.DeletePolicies = p.policies(head.written())
	h.LogPolicies = p.logPolicies(splitList(head.annotations[LogPolicyAnnotation]))
	if len(h.Events) == 0 {
		return nil, p.list
	}
	return h, p.list
}

// hookProblems reads the values of Helm's annotations and collects what is wrong with them.
type hookProblems struct {
	problemList
	// unknown is the severity of values without a meaning.
	unknown diag.Severity
}

// events reads the annotation's list. As in Helm, one unknown event drops the
// whole hook: the list is empty then.
func (p *hookProblems) events(value string) []Event {
	var events []Event
	dropped := false
	for entry := range strings.SplitSeq(value, ",") {
		name := strings.ToLower(strings.TrimSpace(entry))
		if name == oldTest {
			name = string(Test)
		}
		switch e := Event(name); {
		case name == crdInstall:
			dropped = true
			p.add(diag.Warning, HookAnnotation, "the object is left out: crd-install is an event of Helm 2; put CustomResourceDefinitions into crds/")
		case !slices.Contains(Events(), e):
			dropped = true
			p.unknownEvent(name)
		case !slices.Contains(events, e):
			events = append(events, e)
		}
	}
	if dropped {
		return nil
	}
	return events
}

func (p *hookProblems) unknownEvent(name string) {
	var known []string
	for _, e := range Events() {
		known = append(known, string(e))
	}
	summary := fmt.Sprintf("%q is not a hook event%s", name, meantOrKnown(name, known))
	if p.unknown == diag.Warning {
		summary += " (the object is left out)"
	}
	p.add(p.unknown, HookAnnotation, summary)
}

// weight reads the annotation; nothing written is 0.
func (p *hookProblems) weight(value string) int {
	if value == "" {
		return 0
	}
	weight, err := strconv.Atoi(value)
	if err != nil {
		p.add(p.unknown, WeightAnnotation, fmt.Sprintf("the hook's weight is %q: it must be a whole number", value))
		return 0
	}
	return weight
}

func (p *hookProblems) policies(written []DeletePolicy) []DeletePolicy {
	known := []string{string(BeforeHookCreation), string(HookSucceeded), string(HookFailed)}
	for _, policy := range written {
		if !slices.Contains(known, string(policy)) {
			p.add(p.unknown, DeletePolicyAnnotation, fmt.Sprintf("%q is not a delete policy%s",
				policy, meantOrKnown(string(policy), known)))
		}
	}
	return written
}

// logPolicies never stop an operation: what containers write is shown and kept anyway.
func (p *hookProblems) logPolicies(written []string) []string {
	known := []string{string(HookSucceeded), string(HookFailed)}
	for _, policy := range written {
		if !slices.Contains(known, policy) {
			p.add(diag.Warning, LogPolicyAnnotation, fmt.Sprintf("%q is not an output-log policy%s",
				policy, meantOrKnown(policy, known)))
		}
	}
	return written
}
