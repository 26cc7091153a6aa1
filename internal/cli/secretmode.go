package cli

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// secretMode says what a dry run shows of Secrets. It is the value of Helm's
// --hide-secret.
type secretMode int

// The modes. Helm knows hiding and showing; unless asked, the values are masked.
const (
	maskSecrets secretMode = iota
	hideSecrets
	showSecrets
)

func (m *secretMode) add(f *pflag.FlagSet) {
	f.Var(m, "hide-secret", "with --dry-run: leave Secrets out; =false shows what is in them, which is masked otherwise")
	f.Lookup("hide-secret").NoOptDefVal = "true"
}

// String is the present value.
func (m *secretMode) String() string {
	return map[secretMode]string{maskSecrets: "", hideSecrets: "true", showSecrets: "false"}[*m]
}

// Type is what the help shows for the value.
func (m *secretMode) Type() string { return "bool" }

// Set takes a boolean.
func (m *secretMode) Set(s string) error {
	hide, err := strconv.ParseBool(s)
	if err != nil {
		return err
	}
	*m = showSecrets
	if hide {
		*m = hideSecrets
	}
	return nil
}

// hidden is Helm's text in the place of a Secret.
const hidden = "# HIDDEN: The Secret output has been suppressed"

// concealer takes the values of a release's Secrets out of what is shown of it.
type concealer struct {
	mode   secretMode
	masker *ledger.Masker
}

// conceal takes the content of Secrets out of a record that is only shown:
// those that are hooks too, and their values wherever else they appear.
func conceal(r *release.Release, mode secretMode) concealer {
	c := concealer{mode: mode}
	docs := object.Split(r.Manifest)
	for _, d := range docs {
		c.learn(d.Text)
	}
	for _, h := range r.Hooks {
		c.learn(h.Manifest)
	}
	r.Manifest = ""
	for _, d := range docs {
		// The rest of the text is left as it is, to its last empty line.
		r.Manifest += object.Render(d.Source, strings.TrimSuffix(c.document(d.Body()), "\n"))
	}
	for _, h := range r.Hooks {
		h.Manifest = c.document(h.Manifest)
	}
	r.Info.Notes = c.masker.Text(r.Info.Notes)
	r.Info.Description = c.masker.Text(r.Info.Description)
	r.Config, _ = c.value(r.Config).(map[string]any)
	r.Chart = json.RawMessage(c.masker.Text(string(r.Chart)))
	return c
}

// learn takes in the values of the Secrets in a document.
func (c *concealer) learn(text string) {
	var content map[string]any
	if yaml.Unmarshal([]byte(text), &content) == nil {
		c.masker = c.masker.With(engine.SecretValues(secretsIn(content)...)...)
	}
}

// document conceals one document: a Secret's values go, whatever they are; in
// any other only what is known to be a secret value.
func (c concealer) document(text string) string {
	var content map[string]any
	if yaml.Unmarshal([]byte(text), &content) != nil {
		return c.masker.Text(text)
	}
	secrets := secretsIn(content)
	switch {
	case len(secrets) == 0:
		return c.masker.Text(text)
	case c.mode == hideSecrets:
		return hidden
	}
	for _, s := range secrets {
		for _, field := range []string{"data", "stringData"} {
			values, _ := s.Object[field].(map[string]any)
			for key := range values {
				values[key] = ledger.Masked
			}
		}
	}
	masked, err := yaml.Marshal(content)
	if err != nil {
		return hidden
	}
	return c.masker.Text(string(masked))
}

// value masks the texts in a value, which is not changed itself.
func (c concealer) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		out := make(map[string]any, len(v))
		for key, below := range v {
			out[key] = c.value(below)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, below := range v {
			out[i] = c.value(below)
		}
		return out
	case string:
		return c.masker.Text(v)
	}
	return v
}

// secretsIn finds the Secrets of a document: itself, or the items of a list.
// They share their content with it.
func secretsIn(content map[string]any) []*unstructured.Unstructured {
	if content["kind"] == "Secret" && content["apiVersion"] == "v1" {
		return []*unstructured.Unstructured{{Object: content}}
	}
	var found []*unstructured.Unstructured
	items, _ := content["items"].([]any)
	for _, item := range items {
		if below, ok := item.(map[string]any); ok {
			found = append(found, secretsIn(below)...)
		}
	}
	return found
}
