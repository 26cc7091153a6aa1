package chart

import (
	"os"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Where finds what set the value at a path: the last of the user's
// expressions or values files that has it. An expression is returned as "file"
// in the form `--set a`, with line 0: its value may be a password. Files are read again; what cannot be,
// such as standard input, is passed over. Nothing found is "", 0.
func (o ValuesOptions) Where(path []string) (file string, line int) {
	flags := o.setFlags(func([]rune) (any, error) { return "", nil })
	for i := len(flags) - 1; i >= 0; i-- {
		for j := len(flags[i].expressions) - 1; j >= 0; j-- {
			expr, alone := flags[i].expressions[j], map[string]any{}
			if flags[i].parse(expr, alone) == nil && holds(alone, path) {
				return flags[i].name + " " + dotted(path), 0
			}
		}
	}
	for i := len(o.SetJSON) - 1; i >= 0; i-- {
		if alone, err := setJSON(o.SetJSON[i], map[string]any{}); err == nil && holds(alone, path) {
			return "--set-json " + dotted(path), 0
		}
	}
	for i := len(o.Files) - 1; i >= 0; i-- {
		if line := lineInFile(o.Files[i], path); line > 0 {
			return o.Files[i], line
		}
	}
	return "", 0
}

// holds tells whether there is a value, null included, at the path.
func holds(value any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch v := value.(type) {
	case map[string]any:
		child, ok := v[path[0]]
		return ok && holds(child, path[1:])
	case []any:
		index, err := strconv.Atoi(path[0])
		return err == nil && index >= 0 && index < len(v) && v[index] != nil && holds(v[index], path[1:])
	default:
		return false
	}
}

// lineInFile is the line of the value at the path in the last document of a
// values file that has it, else 0.
func lineInFile(file string, path []string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	found := 0
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return found
		}
		if len(document.Content) == 1 {
			if line := lineOf(document.Content[0], path); line > 0 {
				found = line
			}
		}
	}
}

// lineOf follows a path into a node and returns the line of the last key.
func lineOf(node *yaml.Node, path []string) int {
	line := node.Line
	for _, step := range path {
		var next *yaml.Node
		switch node.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == step {
					line, next = node.Content[i].Line, node.Content[i+1]
				}
			}
		case yaml.SequenceNode:
			if index, err := strconv.Atoi(step); err == nil && index >= 0 && index < len(node.Content) {
				next = node.Content[index]
				line = next.Line
			}
		}
		if next == nil {
			return 0
		}
		node = next
	}
	return line
}
