package chart

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/util"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// lintSchema checks the values of the chart and the user's with its schema.
func lintSchema(c *helmchart.Chart, given map[string]any) error {
	merged := commonutil.CoalesceTables(commonutil.CoalesceTables(map[string]any{}, given), c.Values)
	return commonutil.ValidateAgainstSingleSchema(merged, c.Schema)
}

// lintedObject is the part of an object that rules look at.
type lintedObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Items []struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
	} `json:"items"`
}

// templates renders, and looks at every template and what it gave. The error
// is a *Runaway.
func (l *linter) templates(ctx context.Context) error {
	const dir = "templates/"
	if !l.has("templates") {
		l.say(diag.Warning, dir, "directory does not exist")
		return nil
	}
	rendered, err := l.render(ctx)
	var runaway *Runaway
	if errors.As(err, &runaway) {
		return err
	}
	if err != nil {
		l.say(diag.Error, dir, "%v", err)
		return nil
	}
	for _, t := range l.chart.Templates {
		ext := filepath.Ext(t.Name)
		if !slices.Contains([]string{".yaml", ".yml", ".tpl", ".txt"}, ext) {
			l.say(diag.Error, t.Name, "file extension '%s' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt", ext)
		}
		text := rendered[path.Join(l.chart.Name(), t.Name)]
		if ext = strings.ToLower(ext); ext != ".yaml" && ext != ".yml" || strings.TrimSpace(text) == "" {
			continue
		}
		if !l.template(t.Name, text) {
			return nil // as in Helm, the first that is no YAML ends it
		}
	}
	return nil
}

func (l *linter) render(ctx context.Context) (map[string]string, error) {
	capabilities := common.DefaultCapabilities.Copy()
	if l.options.KubeVersion != "" {
		version, err := common.ParseKubeVersion(l.options.KubeVersion)
		if err != nil {
			return nil, err
		}
		capabilities.KubeVersion = *version
	}
	c := clone(l.chart)
	if err := util.ProcessDependencies(c, l.options.Values); err != nil {
		return nil, nil //nolint:nilerr // rendering proper tells that
	}
	values, err := commonutil.CoalesceValues(c, l.options.Values)
	if err != nil {
		return nil, nil //nolint:nilerr // the same
	}
	release := common.ReleaseOptions{Name: "test-release", Namespace: l.options.Namespace}
	if values, err = commonutil.ToRenderValuesWithSchemaValidation(c, values, release, capabilities, l.options.SkipSchema); err != nil {
		return nil, err
	}
	return runEngine(ctx, c, values, RenderOptions{
		Capabilities: Capabilities{KubeVersion: l.options.KubeVersion}, Limits: l.options.Limits, Confine: l.options.Confine, lint: true,
	})
}

// template looks at what one template gave. It is false when that is no YAML.
func (l *linter) template(name, text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); strings.TrimSpace(line) == "" {
			continue
		}
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			l.say(diag.Warning, name, "document starts with an illegal indent: %q, which may cause parsing problems", line)
		}
		break
	}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var o *lintedObject
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			l.say(diag.Error, name, "unable to parse YAML: %v", err)
			return false
		}
		if o != nil {
			l.object(name, o, text)
		}
	}
}

func (l *linter) object(file string, o *lintedObject, text string) {
	if err := checkObjectName(o); err != nil {
		l.say(diag.Warning, file, "%v", err)
	}
	if message := deprecated(o, l.options.KubeVersion); message != "" {
		l.say(diag.Warning, file, "%s", message)
	}
	switch o.Kind {
	case "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet":
		if !strings.Contains(text, "matchLabels") && !strings.Contains(text, "matchExpressions") {
			l.say(diag.Error, file, "a %s must contain matchLabels or matchExpressions, and %q does not", o.Kind, o.Metadata.Name)
		}
	case "List":
		for _, item := range o.Items {
			if _, ok := item.Metadata.Annotations["helm.sh/resource-policy"]; ok {
				l.say(diag.Error, file, "annotation 'helm.sh/resource-policy' within List objects are ignored")
				break
			}
		}
	}
}

// checkObjectName checks a name by the rule for its kind.
func checkObjectName(o *lintedObject) error {
	check := validation.NameIsDNSSubdomain
	switch strings.ToLower(o.Kind) {
	case "service":
		check = validation.NameIsDNS1035Label
	case "namespace":
		check = validation.ValidateNamespaceName
	case "serviceaccount":
		check = validation.ValidateServiceAccountName
	case "certificatesigningrequest":
		return nil
	case "role", "clusterrole", "rolebinding", "clusterrolebinding":
		check = func(name string, _ bool) []string { return content.IsPathSegmentName(name) }
	}
	var all field.ErrorList
	for _, message := range check(o.Metadata.Name, false) {
		all = append(all, field.Invalid(field.NewPath("metadata").Child("name"), o.Metadata.Name, message))
	}
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("object name does not conform to Kubernetes naming requirements: %q: %w", o.Metadata.Name, all.ToAggregate())
}

// deprecated says what Kubernetes says of an API that is on its way out.
func deprecated(o *lintedObject, kubeVersion string) string {
	version := common.DefaultCapabilities.KubeVersion
	if kubeVersion != "" {
		if parsed, err := common.ParseKubeVersion(kubeVersion); err == nil {
			version = *parsed
		}
	}
	major, errMajor := strconv.Atoi(version.Major)
	minor, errMinor := strconv.Atoi(version.Minor)
	if errMajor != nil || errMinor != nil || o.APIVersion == "" || o.Kind == "" {
		return ""
	}
	return deprecationOf(o.APIVersion, o.Kind, major, minor)
}

// crds looks at the files of crds/.
func (l *linter) crds() {
	for _, crd := range l.chart.CRDObjects() {
		decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(string(crd.File.Data)), 4096)
		for {
			var o *lintedObject
			err := decoder.Decode(&o)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				l.say(diag.Error, crd.Name, "unable to parse YAML: %v", err)
				return
			}
			if o == nil {
				continue
			}
			if !strings.HasPrefix(o.APIVersion, "apiextensions.k8s.io") {
				l.say(diag.Error, crd.Name, "apiVersion is not in 'apiextensions.k8s.io'")
			}
			if o.Kind != "CustomResourceDefinition" {
				l.say(diag.Error, crd.Name, "object kind is not 'CustomResourceDefinition'")
			}
		}
	}
}
