package chart

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"sigs.k8s.io/yaml"
)

// valuesProblem says which document of a values file is broken, and where.
// err is what reading the whole file gave.
func valuesProblem(file, data string, err error) error {
	name := file
	if strings.TrimSpace(file) == "-" {
		name = "standard input"
	}
	p := diag.Problem{Summary: fmt.Sprintf("values file %s is not valid YAML", name), Detail: trimYAML(err.Error()), File: name}
	for _, doc := range split(name, data) {
		var values map[string]any
		broken := yaml.Unmarshal([]byte(doc.Text), &values)
		if broken == nil {
			continue
		}
		p.Line, p.Detail = doc.Line, trimYAML(broken.Error())
		if line := brokenLine(doc.Text, broken); line > 0 {
			p.Line += line - 1
		}
		if !strings.Contains(broken.Error(), "yaml: ") {
			p.Summary = fmt.Sprintf("values file %s does not hold a map", name)
		}
		break
	}
	return p
}
