package chart

import (
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/pintle-dev/pintle/internal/pattern"
)

var (
	yamlLine   = pattern.Lazy(`\bline (\d+): `)
	yamlPrefix = pattern.Lazy(`^(?:cannot unmarshal yaml document: |error converting YAML to JSON: |error unmarshaling JSON: |while decoding JSON: |yaml: )+`)
)

// maxBlameLines bounds the search of brokenLine, which parses again and again.
const maxBlameLines = 2000

// brokenLine says in which line of text, from 1, the YAML is broken; 0 when
// it cannot tell. The parser often names the line where the surrounding block
// began, so the longest beginning of the text that does parse is looked for as
// well: what is broken comes right behind it, or where the parser says.
func brokenLine(text string, err error) int {
	named := 0
	if m := yamlLine().FindStringSubmatch(err.Error()); m != nil {
		named, _ = strconv.Atoi(m[1])
	} else if !strings.Contains(err.Error(), "yaml: ") {
		return 0 // valid YAML of the wrong shape: no line is to blame
	}
	lines := strings.SplitAfter(text, "\n")
	if len(lines) > maxBlameLines {
		return named
	}
	end := len(text)
	for n := len(lines); n > 0; n-- {
		end -= len(lines[n-1])
		var ignored any
		if yaml.Unmarshal([]byte(text[:end]), &ignored) != nil {
			continue
		}
		if strings.Contains(err.Error(), "unexpected end of stream") {
			return n // an open quote: the parser names the end of the file
		}
		return max(n, named)
	}
	return named
}

// trimYAML takes off what the YAML packages put before their message and
// does not help a reader.
func trimYAML(message string) string {
	return yamlPrefix().ReplaceAllString(strings.TrimSpace(message), "")
}
