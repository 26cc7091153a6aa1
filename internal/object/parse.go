package object

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/pattern"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// Parsed is a document together with one object that it holds. A document
// that is a list gives one Parsed for each item.
type Parsed struct {
	Document
	Object *unstructured.Unstructured
}

// Ref is the reference of the parsed object.
func (p Parsed) Ref() Ref { return RefOf(p.Object) }

// ParseError is a document that is not a Kubernetes object. Line is 1-based in
// what was split: it is that of the fault where the parser tells it, else that
// of the document's first line.
type ParseError struct {
	Source string
	Line   int
	Err    error
}

// Error is "source:line: sentence", without the source where none is known.
func (e *ParseError) Error() string {
	if e.Source == "" {
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.Source, e.Line, e.Err)
}

// Unwrap gives the cause alone.
func (e *ParseError) Unwrap() error { return e.Err }

// Parse reads a document. Whole numbers become int64, others float64, as
// apimachinery wants them. A document of comments alone gives nil and no
// error. Errors are *ParseError.
func Parse(doc Document) (*unstructured.Unstructured, error) {
	content, err := parseMap(doc)
	if err != nil {
		return nil, err
	}
	return FromMap(doc, content)
}

// FromMap makes an object of a document that was parsed elsewhere; nil for an
// empty one. Errors are *ParseError.
func FromMap(doc Document, content map[string]any) (*unstructured.Unstructured, error) {
	if content == nil {
		return nil, nil
	}
	obj := &unstructured.Unstructured{Object: content}
	if err := checkType(obj); err != nil {
		return nil, &ParseError{Source: doc.Source, Line: doc.Line, Err: err}
	}
	return obj, nil
}

// ParseAll reads documents, leaves out those that hold nothing, and expands
// lists. Of several errors it returns the first, which is a *ParseError.
func ParseAll(docs []Document) ([]Parsed, error) {
	parsed := make([][]Parsed, len(docs))
	faults := make([]error, len(docs))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, doc := range docs {
		g.Go(func() error {
			parsed[i], faults[i] = parseItems(doc)
			return nil
		})
	}
	_ = g.Wait() // each reports in its own slot
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(parsed...), nil
}

// parseItems reads the objects of one document.
func parseItems(doc Document) ([]Parsed, error) {
	obj, err := Parse(doc)
	if obj == nil || err != nil {
		return nil, err
	}
	items, err := Expand(obj)
	if err != nil {
		return nil, &ParseError{Source: doc.Source, Line: doc.Line, Err: err}
	}
	out := make([]Parsed, len(items))
	for i, item := range items {
		out[i] = Parsed{Document: doc, Object: item}
	}
	return out, nil
}

// Expand gives the items of a list, and any other object as it is. As in
// kubectl and Helm, an object is a list when it has an array named items at
// its top; items without a kind get that of the list without its "List".
func Expand(obj *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	items, ok := obj.Object["items"].([]any)
	if !ok {
		return []*unstructured.Unstructured{obj}, nil
	}
	var out []*unstructured.Unstructured
	for i, raw := range items {
		content, ok := raw.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("item %d of the %s is not an object", i, obj.GetKind())
		}
		item := &unstructured.Unstructured{Object: content}
		if item.GetKind() == "" && obj.GetKind() != "List" {
			item.SetKind(strings.TrimSuffix(obj.GetKind(), "List"))
			item.SetAPIVersion(obj.GetAPIVersion())
		}
		if err := checkType(item); err != nil {
			return nil, fmt.Errorf("item %d of the %s: %w", i, obj.GetKind(), err)
		}
		nested, err := Expand(item)
		if err != nil {
			return nil, err
		}
		out = append(out, nested...)
	}
	return out, nil
}

// parseMap reads the document's top-level mapping, nil for an empty document.
func parseMap(doc Document) (map[string]any, error) {
	fail := func(err error) error {
		return &ParseError{Source: doc.Source, Line: faultLine(doc.Line, err), Err: plainYAMLError(err)}
	}
	raw, err := yaml.YAMLToJSON([]byte(doc.Text))
	if err != nil {
		return nil, fail(err)
	}
	var content any
	if err := json.Unmarshal(raw, &content); err != nil {
		return nil, fail(err)
	}
	switch c := content.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return c, nil
	default:
		return nil, fail(errors.New("the document is not a Kubernetes object: it is not a mapping"))
	}
}

// checkType demands what every Kubernetes object must say of itself.
func checkType(obj *unstructured.Unstructured) error {
	for _, field := range []string{"apiVersion", "kind"} {
		value, found := obj.Object[field]
		if _, text := value.(string); found && value != nil && !text {
			return fmt.Errorf("%s must be text", field)
		}
		if !found || value == nil || value == "" {
			return fmt.Errorf("the object has no %s", field)
		}
	}
	if m, found := obj.Object["metadata"]; found && m != nil {
		if _, ok := m.(map[string]any); !ok {
			return errors.New("metadata must be a mapping")
		}
	}
	return nil
}

// yamlLine finds the line that the YAML parser complains of, counted within the document.
var yamlLine = pattern.Lazy(`yaml: line (\d+): `)

// faultLine turns the parser's line into one of the text that was split.
func faultLine(docLine int, err error) int {
	m := yamlLine().FindStringSubmatch(err.Error())
	if m == nil {
		return docLine
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return docLine
	}
	return docLine + max(n, 1) - 1
}

// plainYAMLError drops from the parser's message what the ParseError says better.
func plainYAMLError(err error) error {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = yamlLine().ReplaceAllString(text, "")
	return errors.New(strings.TrimPrefix(text, "yaml: "))
}
