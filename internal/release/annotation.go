package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ownPrefix is where Pintle's own annotations live.
const ownPrefix = "pintle.dev/"

// place is where an annotation has a meaning.
type place int

const (
	onAny place = iota
	onHooks
	onTests
	onOrdinary
)

// rule says what one of our annotations may hold and where it belongs.
type rule struct {
	on place
	// wants completes the sentence "the value must be ...".
	wants string
	valid func(string) bool
}

var boolean = rule{on: onHooks, wants: `"true" or "false"`, valid: func(v string) bool { return v == "true" || v == "false" }}

// rules are all annotations that Pintle knows by its own name.
var rules = map[string]rule{
	TimeoutAnnotation: {onHooks, `a duration above zero, such as "90s" or "10m"`, func(v string) bool {
		_, err := parseTimeout(v)
		return err == nil
	}},
	RetriesAnnotation: {onHooks, `a whole number, "0" or more`, func(v string) bool {
		_, err := parseRetries(v)
		return err == nil
	}},
	SuiteAnnotation:        {onTests, "a name", func(v string) bool { return strings.TrimSpace(v) != "" }},
	ParallelAnnotation:     boolean,
	IrreversibleAnnotation: boolean,
	AlwaysAnnotation:       boolean,
	AfterTestsAnnotation:   {onOrdinary, boolean.wants, boolean.valid},
	WaitAnnotation:         {onOrdinary, `"ignore"`, func(v string) bool { return v == "ignore" }},
	OnImmutableAnnotation: {onAny, `"recreate", "recreate-orphan" or "fail"`, func(v string) bool {
		return v == "recreate" || v == "recreate-orphan" || v == "fail"
	}},
}

// helmAnnotations are Helm's own that steer hooks; near misses are pointed out.
var helmAnnotations = []string{
	HookAnnotation, WeightAnnotation, DeletePolicyAnnotation, LogPolicyAnnotation, object.ResourcePolicyAnnotation,
}

// IsHook reports whether the object carries a hook annotation, whatever its value.
func IsHook(obj *unstructured.Unstructured) bool {
	_, ok := object.Annotations(obj)[HookAnnotation]
	return ok
}

// CheckAnnotations complains of pintle.dev annotations that are unknown or
// hold a value without a meaning (errors), and of such as have no effect where
// they are or look like a misspelt one of Helm's (warnings). It looks at
// any object, hook or not; what is said in Helm's annotations about hooks is
// for ParseHook.
func CheckAnnotations(doc object.Document, obj *unstructured.Unstructured) diag.List {
	annotations := object.Annotations(obj)
	problems := problemList{doc: doc, obj: obj}
	unquoted, labels := object.Unquoted(obj)
	for _, key := range slices.Sorted(slices.Values(unquoted)) {
		problems.add(diag.Error, key, fmt.Sprintf("annotation %s must be text: put its value in quotes", key))
	}
	for _, key := range slices.Sorted(slices.Values(labels)) {
		problems.add(diag.Error, key, fmt.Sprintf("label %s must be text: put its value in quotes", key))
	}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		switch {
		case strings.HasPrefix(key, ownPrefix):
			problems.checkOwn(key, annotations)
		case strings.HasPrefix(key, "helm.sh/") && !slices.Contains(helmAnnotations, key):
			if near := Suggest(key, helmAnnotations); near != "" && editDistance(key, near) <= 2 {
				problems.add(diag.Warning, key, fmt.Sprintf("annotation %s means nothing to Helm; did you mean %q?", key, near))
			}
		}
	}
	return problems.list
}

// problemList collects problems about one object, at the lines of its annotations.
type problemList struct {
	doc  object.Document
	obj  *unstructured.Unstructured
	list diag.List
}

func (p *problemList) add(severity diag.Severity, key, summary string) {
	p.list.Add(diag.Problem{
		Severity: severity,
		Summary:  summary,
		Detail:   "in " + object.RefOf(p.obj).Short(),
		File:     p.doc.Source,
		Line:     p.doc.Line + metadataLine(p.doc.Text, key),
		Rendered: true,
	})
}

// checkOwn checks one pintle.dev annotation.
func (p *problemList) checkOwn(key string, annotations map[string]string) {
	r, ok := rules[key]
	value := annotations[key]
	switch {
	case !ok:
		p.add(diag.Error, key, fmt.Sprintf("there is no annotation %s%s", key, meantOrKnown(key, slices.Sorted(maps.Keys(rules)))))
	case !r.valid(value):
		p.add(diag.Error, key, fmt.Sprintf("annotation %s is %q: the value must be %s", key, value, r.wants))
	default:
		if where := misplaced(r.on, annotations); where != "" {
			p.add(diag.Warning, key, fmt.Sprintf("annotation %s has no effect here: it is for %s", key, where))
		}
	}
}

// misplaced says for what an annotation is, when this object is something else.
func misplaced(on place, annotations map[string]string) string {
	events, hook := annotations[HookAnnotation]
	switch {
	case on == onHooks && !hook:
		return "hooks"
	case on == onTests && !slices.ContainsFunc(splitList(events), func(e string) bool { return e == string(Test) || e == oldTest }):
		return "tests"
	case on == onOrdinary && hook:
		return "objects that are no hooks"
	}
	return ""
}

// metadataLine is how many lines below the first line of the text the
// annotation or label of that name stands; 0 when it is not found.
func metadataLine(text, key string) int {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err == nil && len(root.Content) > 0 {
		meta := child(root.Content[0], "metadata")
		for _, field := range []string{"annotations", "labels"} {
			if line := keyLine(child(meta, field), key); line > 0 {
				return line - 1
			}
		}
	}
	before, _, found := strings.Cut(text, key)
	if !found {
		return 0
	}
	return strings.Count(before, "\n")
}

// child is the value of a key in a YAML mapping; anchors are followed.
func child(n *yaml.Node, key string) *yaml.Node {
	n = target(n)
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return target(n.Content[i+1])
		}
	}
	return nil
}

// keyLine is the 1-based line of a key in a YAML mapping, 0 when it is not there.
func keyLine(n *yaml.Node, key string) int {
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i].Line
		}
	}
	return 0
}

func target(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
