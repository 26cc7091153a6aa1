// Package preflight finds in what a chart renders what will fail later, when
// its hooks and tests run: pods that refer to what is not there yet, and time
// limits that contradict each other. It reads no cluster; what may be there
// already is for its caller to look up.
package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Input is what is looked at.
type Input struct {
	Hooks []plan.Hook
	// Wanted are the ordinary objects.
	Wanted []object.Parsed
	// Before and After are the events of the operation, tests apart.
	Before, After release.Event
	// Tests tells that the tests count too.
	Tests bool
	// Lines gives the line of a template's output at which a hook begins; nil,
	// and 0, where that is not known.
	Lines func(*release.Hook) int
	// Timeout is that of hooks without one of their own; 0 means none.
	Timeout time.Duration
}

// Reference is an object that the pods of a hook or test cannot start without,
// and that nothing before it in the order brings.
type Reference struct {
	Object object.Ref
	Event  release.Event
	Hook   plan.Hook
	// Later tells that the chart brings the object, but too late.
	Later bool
	File  string
	Line  int
}

// Problem words the reference. exists tells that it was looked for in the
// cluster, and is not there.
func (r Reference) Problem(severity diag.Severity, looked bool) diag.Problem {
	p := diag.Problem{
		Severity: severity, File: r.File, Line: r.Line, Rendered: r.Line > 0,
		Summary: fmt.Sprintf("%s %s needs %s, which the chart does not bring", r.word(), r.Hook.Kind+"/"+r.Hook.Name, r.Object.Short()),
		Detail:  "it must be in namespace " + r.Object.Namespace + " before",
	}
	if r.Object.Namespace == "" {
		p.Detail = "it must be there before"
	}
	if r.Later {
		p.Summary = fmt.Sprintf("%s %s needs %s, which the chart brings only after it", r.word(), r.Hook.Kind+"/"+r.Hook.Name, r.Object.Short())
		p.Detail = "make it a hook of the same event with a lower weight, or run the hook later"
	}
	if looked {
		p.Summary += ", and it is not in the cluster"
	}
	return p
}

func (r Reference) word() string {
	if r.Event == release.Test {
		return "test"
	}
	return string(r.Event) + " hook"
}

// Deadlines finds Jobs whose own deadline is longer than the time that the
// hook has: it would be stopped before, and its own verdict never heard.
func Deadlines(in Input) diag.List {
	var out diag.List
	for _, h := range in.Hooks {
		limit := h.Steering.Timeout
		if limit == 0 {
			limit = in.Timeout
		}
		seconds, found, _ := unstructured.NestedInt64(h.Object.Object, "spec", "activeDeadlineSeconds")
		own := time.Duration(seconds) * time.Second
		if !found || limit == 0 || own <= limit {
			continue
		}
		out.Add(diag.Problem{
			Severity: diag.Warning, File: h.Path, Line: in.line(h, "activeDeadlineSeconds"), Rendered: true,
			Summary: fmt.Sprintf("the deadline of hook %s/%s is %s, but it is stopped after %s", h.Kind, h.Name, own, limit),
			Detail:  fmt.Sprintf("set %s to at least %s, or lower activeDeadlineSeconds", release.TimeoutAnnotation, own),
		})
	}
	return out
}

// Missing finds what the pods of hooks and tests refer to and nothing before
// them brings: an earlier hook of the same event, what an earlier event left,
// or, after the apply, an ordinary object.
func Missing(in Input) []Reference {
	all := object.NewSet()
	ordinary := object.NewSet()
	for _, w := range in.Wanted {
		ordinary.Add(w.Ref())
		all.Add(w.Ref())
	}
	for _, h := range in.Hooks {
		all.Add(object.RefOf(h.Object))
	}
	there := object.NewSet()
	var out []Reference
	visit := func(e release.Event) {
		if e != "" {
			out = append(out, in.event(e, there, all)...)
		}
	}
	visit(in.Before)
	for _, r := range ordinary.Refs() {
		there.Add(r)
	}
	visit(in.After)
	if in.Tests {
		visit(release.Test)
	}
	return out
}

// event walks the hooks of one event in their order. What its delete policy
// takes away afterwards is not there for later events.
func (in Input) event(e release.Event, there, all *object.Set) []Reference {
	var plain []*release.Hook
	by := map[*release.Hook]plan.Hook{}
	for _, h := range in.Hooks {
		if h.On(e) {
			plain = append(plain, h.Hook)
			by[h.Hook] = h
		}
	}
	now := object.NewSet(there.Refs()...)
	var out []Reference
	for _, sorted := range release.SortHooks(plain) {
		h := by[sorted]
		for _, ref := range podReferences(h.Object) {
			if now.Has(ref.Key()) || slices.ContainsFunc(out, func(r Reference) bool { return r.Hook.Hook == h.Hook && r.Object == ref }) {
				continue
			}
			out = append(out, Reference{
				Object: ref, Event: e, Hook: h, Later: all.Has(ref.Key()), File: h.Path, Line: in.line(h, ref.Name),
			})
		}
		ref := object.RefOf(h.Object)
		now.Add(ref)
		if !slices.Contains(h.Policies(), release.HookSucceeded) {
			there.Add(ref)
		}
	}
	return out
}

// line is where a word first stands in a hook's manifest.
func (in Input) line(h plan.Hook, word string) int {
	if in.Lines == nil || in.Lines(h.Hook) == 0 {
		return 0
	}
	first := in.Lines(h.Hook)
	for i, text := range strings.Split(h.Manifest, "\n") {
		if hasWord(text, word) && !strings.HasPrefix(strings.TrimSpace(text), "#") {
			return first + i
		}
	}
	return first
}

// hasWord tells that a line holds a name as a whole, and not within another.
func hasWord(text, word string) bool {
	part := func(b byte) bool {
		return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '.' || b == '_'
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		begin, end := from+i, from+i+len(word)
		if (begin == 0 || !part(text[begin-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
		from = begin + 1
	}
}

// Changing finds hooks whose name is another one each time the chart is
// rendered, given those of a second rendering: no delete policy that runs
// before a hook ever finds the one of before.
func Changing(in Input, again []plan.Hook) diag.List {
	named := map[object.Key]bool{}
	for _, h := range again {
		named[object.RefOf(h.Object).Key()] = true
	}
	var out diag.List
	for _, h := range in.Hooks {
		ref := object.RefOf(h.Object)
		if named[ref.Key()] || slices.Contains(h.Policies(), release.HookSucceeded) && slices.Contains(h.Policies(), release.HookFailed) {
			continue
		}
		out.Add(diag.Problem{
			Severity: diag.Warning, File: h.Path, Line: in.line(h, ref.Name), Rendered: true,
			Summary: fmt.Sprintf("the name of hook %s is another one each time the chart is rendered", ref.Short()),
			Detail:  "its delete policy never meets the one of before, so that they pile up: give it a fixed name, or the policy hook-succeeded,hook-failed",
		})
	}
	return out
}
