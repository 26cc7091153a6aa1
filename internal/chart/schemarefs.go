package chart

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
)

// schemaFileName is where Helm has a chart's schema; relative references count
// from there, so that "etc/x.json" is /etc/x.json of this machine.
const schemaFileName = "/values.schema.json"

// schemaRefs finds what a schema refers to. Which of "$id" and "id" names a
// part of it depends on its draft; both are tried, so that no reference can
// be made to look as if it led elsewhere.
type schemaRefs struct {
	known  map[string]bool
	wanted []string
}

// outside reports references of a chart's schema to files of this machine.
func outside(chrt *helmchart.Chart) diag.List {
	var schema any
	if json.Unmarshal(chrt.Schema, &schema) != nil {
		return nil //nolint:nilerr // the validator says what is wrong with it
	}
	home := &url.URL{Scheme: "file", Path: schemaFileName}
	refs := schemaRefs{known: map[string]bool{home.String(): true}}
	for _, id := range []string{"$id", "id"} {
		refs.walk(schema, home, id)
	}
	slices.Sort(refs.wanted)
	var problems diag.List
	for _, ref := range slices.Compact(refs.wanted) {
		if !refs.known[ref] {
			problems.Add(diag.Problem{
				Summary: fmt.Sprintf("the schema of chart %s refers to a file of this machine, %s", chrt.Name(), printable(ref)),
				Detail:  "a schema may refer to its own parts, and to addresses that begin with http:, https: or urn:",
				File:    schemaFile(chrt),
			})
		}
	}
	return problems
}

func (r *schemaRefs) walk(node any, base *url.URL, id string) {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			r.walk(item, base, id)
		}
	case map[string]any:
		if named, ok := resolve(base, node[id]); ok {
			base = named
			r.known[named.String()] = true
		}
		for key, value := range node {
			switch key {
			case "$ref", "$dynamicRef", "$recursiveRef", "$schema":
				if target, ok := resolve(base, value); ok && target.Scheme == "file" {
					r.wanted = append(r.wanted, target.String())
				}
			case "enum", "const", "default", "examples": // these are values
			default:
				r.walk(value, base, id)
			}
		}
	}
}

// resolve is a reference from base on, without its fragment.
func resolve(base *url.URL, ref any) (*url.URL, bool) {
	text, ok := ref.(string)
	if !ok {
		return nil, false
	}
	target, err := base.Parse(text)
	if err != nil {
		return nil, false
	}
	target.Fragment, target.RawFragment = "", ""
	return target, true
}
