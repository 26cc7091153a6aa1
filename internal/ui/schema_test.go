package ui

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// node is an element of an XML document, whatever it is.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []node     `xml:",any"`
	Text     string     `xml:",chardata"`
}

func parseXML(t *testing.T, text string) node {
	t.Helper()
	var n node
	if err := xml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatalf("not well-formed: %v\n%s", err, text)
	}
	return n
}

func (n node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n node) child(name string) (node, bool) {
	i := slices.IndexFunc(n.Children, func(c node) bool { return c.XMLName.Local == name })
	if i < 0 {
		return node{}, false
	}
	return n.Children[i], true
}

// schema checks documents against an XML Schema, as far as testdata/junit.xsd
// uses it: global elements and types, sequences, choices, attributes, patterns.
type schema struct {
	elements, types map[string]node
}

func readSchema(t *testing.T, text string) schema {
	t.Helper()
	s := schema{elements: map[string]node{}, types: map[string]node{}}
	for _, n := range parseXML(t, text).Children {
		switch n.XMLName.Local {
		case "element":
			s.elements[n.attr("name")] = n
		case "complexType", "simpleType":
			s.types[n.attr("name")] = n
		default:
			t.Fatalf("the schema holds %s, which this test cannot check", n.XMLName.Local)
		}
	}
	return s
}

// check gives what is wrong with an element.
func (s schema) check(n node) []string {
	declared, ok := s.elements[n.XMLName.Local]
	if !ok {
		return []string{"element " + n.XMLName.Local + " is not in the schema"}
	}
	body, inline := declared.child("complexType")
	if !inline {
		name := declared.attr("type")
		if body = s.types[name]; body.XMLName.Local != "complexType" {
			return s.simple(n, name)
		}
	}
	wrong := s.attributes(n, body)
	if body.attr("mixed") != "true" && strings.TrimSpace(n.Text) != "" {
		wrong = append(wrong, n.XMLName.Local+" holds text")
	}
	rest := n.Children
	if group, ok := body.child("sequence"); ok {
		rest, ok = s.match(group, rest)
		if !ok {
			wrong = append(wrong, n.XMLName.Local+" does not have the elements that it must")
		}
	}
	if len(rest) > 0 {
		wrong = append(wrong, fmt.Sprintf("%s holds %s where it must not", n.XMLName.Local, rest[0].XMLName.Local))
	}
	for _, c := range n.Children {
		wrong = append(wrong, s.check(c)...)
	}
	return wrong
}

func (s schema) simple(n node, typ string) []string {
	if len(n.Children) > 0 || len(n.Attrs) > 0 {
		return []string{n.XMLName.Local + " must be text alone"}
	}
	if !s.fits(typ, n.Text) {
		return []string{fmt.Sprintf("%s is %q", n.XMLName.Local, n.Text)}
	}
	return nil
}

func (s schema) fits(typ, text string) bool {
	if typ == "xs:string" {
		return true
	}
	restriction, _ := s.types[typ].child("restriction")
	pattern, ok := restriction.child("pattern")
	return ok && regexp.MustCompile("^(?:"+pattern.attr("value")+")$").MatchString(text)
}

func (s schema) attributes(n, body node) []string {
	var wrong []string
	known := map[string]string{}
	for _, a := range body.Children {
		if a.XMLName.Local != "attribute" {
			continue
		}
		known[a.attr("name")] = a.attr("type")
		given := slices.ContainsFunc(n.Attrs, func(have xml.Attr) bool { return have.Name.Local == a.attr("name") })
		if a.attr("use") == "required" && !given {
			wrong = append(wrong, fmt.Sprintf("%s lacks %s", n.XMLName.Local, a.attr("name")))
		}
	}
	for _, a := range n.Attrs {
		typ, ok := known[a.Name.Local]
		if !ok || !s.fits(typ, a.Value) {
			wrong = append(wrong, fmt.Sprintf("%s has %s=%q", n.XMLName.Local, a.Name.Local, a.Value))
		}
	}
	return wrong
}

// match takes what a particle allows off the front of the elements, as much as
// it can; false when that is less than it demands.
func (s schema) match(particle node, elements []node) ([]node, bool) {
	least, most := 1, 1
	if particle.attr("minOccurs") == "0" {
		least = 0
	}
	if particle.attr("maxOccurs") == "unbounded" {
		most = len(elements) + 1
	}
	for count := range most {
		rest, ok := s.once(particle, elements)
		if !ok || len(rest) == len(elements) {
			return elements, ok || count >= least
		}
		elements = rest
	}
	return elements, true
}

func (s schema) once(particle node, elements []node) ([]node, bool) {
	switch particle.XMLName.Local {
	case "element":
		if len(elements) == 0 || elements[0].XMLName.Local != particle.attr("ref") {
			return elements, false
		}
		return elements[1:], true
	case "choice":
		for _, p := range particle.Children {
			if rest, ok := s.match(p, elements); ok && len(rest) < len(elements) {
				return rest, true
			}
		}
		return elements, false
	case "sequence":
		for _, p := range particle.Children {
			rest, ok := s.match(p, elements)
			if !ok {
				return elements, false
			}
			elements = rest
		}
		return elements, true
	}
	return elements, false
}
