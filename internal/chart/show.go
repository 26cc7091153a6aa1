package chart

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/v2/util"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"
)

// Part is what Show writes of a chart.
type Part string

// The parts that Helm shows.
const (
	PartAll      Part = "all"
	PartMetadata Part = "chart"
	PartValues   Part = "values"
	PartReadme   Part = "readme"
	PartCRDs     Part = "crds"
)

// Show writes a part of the chart, as `helm show` does. With an expression, in
// place of the values as they are written, what it finds in them.
func (c *Chart) Show(w io.Writer, part Part, expression string) error {
	var b strings.Builder
	all := part == PartAll
	if all || part == PartMetadata {
		data, err := yaml.Marshal(c.helm.Metadata)
		if err != nil {
			return fmt.Errorf("writing Chart.yaml: %w", err)
		}
		fmt.Fprintf(&b, "%s\n", data)
	}
	if (all || part == PartValues) && c.helm.Values != nil {
		if all {
			b.WriteString("---\n")
		}
		if err := c.showValues(&b, expression); err != nil {
			return err
		}
	}
	if all || part == PartReadme {
		c.showReadme(&b, all)
	}
	if all || part == PartCRDs {
		c.showCRDs(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Chart) showValues(b *strings.Builder, expression string) error {
	if expression == "" {
		for _, f := range c.helm.Raw {
			if f.Name == util.ValuesfileName {
				fmt.Fprintln(b, string(f.Data))
			}
		}
		return nil
	}
	path := jsonpath.New("values")
	if err := path.Parse(expression); err != nil {
		return diag.Problem{Summary: fmt.Sprintf("the expression %q of --jsonpath cannot be read", expression), Detail: err.Error()}
	}
	if err := path.Execute(b, c.helm.Values); err != nil {
		return diag.Problem{Summary: fmt.Sprintf("the values hold nothing at %q", expression), Detail: err.Error()}
	}
	return nil
}

var readmes = []string{"readme.md", "readme.txt", "readme"}

func (c *Chart) showReadme(b *strings.Builder, all bool) {
	for _, f := range c.helm.Files {
		if f == nil || !slices.Contains(readmes, strings.ToLower(f.Name)) {
			continue
		}
		if all {
			b.WriteString("---\n")
		}
		fmt.Fprintf(b, "%s\n", f.Data)
		return
	}
}

func (c *Chart) showCRDs(b *strings.Builder) {
	for _, crd := range c.CRDs() {
		if !bytes.HasPrefix(crd.Data, []byte("---")) {
			b.WriteString("---\n")
		}
		fmt.Fprintf(b, "%s\n", crd.Data)
	}
}
