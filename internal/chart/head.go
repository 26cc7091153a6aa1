package chart

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/yaml"
)

const hookAnnotation = "helm.sh/hook"

// head is the part of a document by which Helm sorts it. It is decoded from
// JSON as Helm decodes it, so that the same documents are refused.
type head struct {
	Version  scalar `json:"apiVersion"`
	Kind     scalar `json:"kind"`
	Metadata *struct {
		Name        scalar            `json:"name"`
		Annotations map[string]scalar `json:"annotations"`
	} `json:"metadata"`
}

// scalar is a string for which YAML may also hold a number or a boolean, as in
// "helm.sh/hook-weight: 5".
type scalar string

// UnmarshalJSON takes any scalar; null leaves the value as it is.
func (s *scalar) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(s))
	case '{', '[':
		return fmt.Errorf("a string is wanted, not %s", data)
	case 'n':
		return nil
	default:
		*s = scalar(data)
		return nil
	}
}

// hookEvents are the event names of which Helm knows the meaning.
var hookEvents = []string{
	"pre-install", "post-install", "pre-upgrade", "post-upgrade", "pre-delete", "post-delete",
	"pre-rollback", "post-rollback", "test", "test-success",
}

// readHeads decodes the head of every document, several at a time.
func readHeads(docs []Document) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	failed := make([]error, len(docs))
	for i := range docs {
		g.Go(func() error {
			failed[i] = docs[i].readHead()
			return nil
		})
	}
	_ = g.Wait() // the functions report through their own slot
	var problems diag.List
	for i, err := range failed {
		if err != nil {
			problems.Add(documentProblem(docs[i], err))
		}
	}
	return problems.Err()
}

func (d *Document) readHead() (err error) {
	if d.json, err = yaml.YAMLToJSON([]byte(d.Text)); err != nil {
		return err
	}
	return json.Unmarshal(d.json, &d.head)
}

func documentProblem(d Document, err error) diag.Problem {
	p := diag.Problem{
		Summary:  "the rendered document is not valid YAML",
		Detail:   trimYAML(err.Error()),
		File:     d.Source,
		Line:     d.Line,
		Rendered: true,
	}
	if line := brokenLine(d.Text, err); line > 0 {
		p.Line += line - 1
	}
	return p
}

// events are those that the hook annotation names, and whether there is one.
func (d Document) events() (names []string, hook bool) {
	if d.head.Metadata == nil {
		return nil, false
	}
	value, hook := d.head.Metadata.Annotations[hookAnnotation]
	if !hook {
		return nil, false
	}
	for name := range strings.SplitSeq(string(value), ",") {
		names = append(names, strings.ToLower(strings.TrimSpace(name)))
	}
	return names, true
}

// isTest tells whether the document is a hook that runs as a test.
func (d Document) isTest() bool {
	names, _ := d.events()
	return slices.Contains(names, "test") || slices.Contains(names, "test-success")
}

// sortOut separates hooks from ordinary documents and puts both into install
// order. As in Helm, a hook with an event that Helm does not know is in
// neither: it is only in what was given.
func sortOut(docs []Document) (hooks, ordinary []Document) {
	for _, d := range docs {
		names, hook := d.events()
		switch {
		case !hook:
			ordinary = append(ordinary, d)
		case allKnown(names):
			hooks = append(hooks, d)
		}
	}
	sortByKind(hooks)
	sortByKind(ordinary)
	return hooks, ordinary
}

func allKnown(events []string) bool {
	for _, name := range events {
		if !slices.Contains(hookEvents, name) {
			return false
		}
	}
	return true
}
