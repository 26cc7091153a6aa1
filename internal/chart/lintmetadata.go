package chart

import (
	"fmt"
	"net/mail"
	"net/url"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/util"
	"sigs.k8s.io/yaml"
)

// metadata looks at Chart.yaml. That it has what it must, the loader has seen.
func (l *linter) metadata() {
	const file = util.ChartfileName
	m := l.chart.Metadata
	data := l.raw(file)
	if err := yaml.UnmarshalStrict(data, &helmchart.Metadata{}); err != nil {
		l.say(diag.Warning, file, "failed to strictly parse chart metadata file\n\t%v", err)
	}
	var untyped map[string]any
	_ = yaml.Unmarshal(data, &untyped) // the loader has read it
	for _, key := range []string{"version", "appVersion"} {
		if value, ok := untyped[key]; ok {
			if _, text := value.(string); !text {
				l.say(diag.Error, file, "%s should be of type string but it's of type %T", key, value)
			}
		}
	}
	l.people(m)
	for _, source := range m.Sources {
		if !isURL(source) {
			l.say(diag.Error, file, "invalid source URL '%s'", source)
			break
		}
	}
	switch {
	case m.Icon == "":
		l.say(diag.Note, file, "icon is recommended")
	case !isURL(m.Icon):
		l.say(diag.Error, file, "invalid icon URL '%s'", m.Icon)
	}
	if m.APIVersion == helmchart.APIVersionV1 {
		older := fmt.Sprintf("apiVersion '%s'. %%s valid in apiVersion '%s'", m.APIVersion, helmchart.APIVersionV2)
		if m.Type != "" {
			l.say(diag.Error, file, "chart type is not valid in "+older, "It is")
		}
		if _, here := untyped["dependencies"]; here {
			l.say(diag.Error, file, "dependencies are not valid in the Chart file with "+older, "They are")
		}
	}
	if _, err := semver.StrictNewVersion(m.Version); err != nil {
		l.say(diag.Warning, file, "version '%s' is not a valid SemVerV2", m.Version)
	}
}

func (l *linter) people(m *helmchart.Metadata) {
	for _, p := range m.Maintainers {
		if p == nil {
			continue
		}
		if _, err := mail.ParseAddress(p.Email); p.Email != "" && err != nil {
			l.say(diag.Error, util.ChartfileName, "invalid email '%s' for maintainer '%s'", p.Email, p.Name)
			return
		}
		// Helm takes a URL without a scheme here, and only here.
		if p.URL != "" && !isURL(p.URL) && !isURL("https://"+p.URL) {
			l.say(diag.Error, util.ChartfileName, "invalid url '%s' for maintainer '%s'", p.URL, p.Name)
			return
		}
	}
}

func isURL(text string) bool {
	u, err := url.ParseRequestURI(text)
	return err == nil && u.Scheme != "" && !strings.ContainsAny(text, " \t")
}

// values looks at values.yaml, and at the schema beside it.
func (l *linter) values() {
	const file = util.ValuesfileName
	if !l.has(file) {
		l.say(diag.Note, file, "file does not exist")
		return
	}
	if len(l.chart.Schema) == 0 || l.options.SkipSchema {
		return
	}
	if err := lintSchema(l.chart, l.options.Values); err != nil {
		l.say(diag.Error, file, "%v", err)
	}
}
