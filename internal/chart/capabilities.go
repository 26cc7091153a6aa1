package chart

import (
	"fmt"
	"slices"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/common"
)

// Capabilities is what templates may ask of a cluster. The zero value of a
// field means what Helm assumes without a cluster.
type Capabilities struct {
	// KubeVersion is the server's version as it reports it, such as
	// "v1.34.1-gke.12".
	KubeVersion string
	// Major and Minor are the server's own words for its version, such as "1"
	// and "34+". With them, templates see KubeVersion as it is, as in Helm;
	// without, {{ .Capabilities.KubeVersion }} prints no suffix.
	Major, Minor string
	// APIVersions are all that is served, as "group/version" and
	// "group/version/Kind".
	APIVersions []string
}

// OfflineCapabilities is what `helm template` assumes: the Kubernetes version
// that this binary was built for, or the given one, and the built-in APIs with
// the given ones behind. A bad version is a diag.Problem.
func OfflineCapabilities(kubeVersion string, apiVersions ...string) (Capabilities, error) {
	caps := Capabilities{
		KubeVersion: common.DefaultCapabilities.KubeVersion.Version,
		APIVersions: slices.Concat([]string(common.DefaultVersionSet), apiVersions),
	}
	if kubeVersion != "" {
		parsed, err := common.ParseKubeVersion(kubeVersion)
		if err != nil {
			return Capabilities{}, diag.Problem{Summary: fmt.Sprintf("%q is not a Kubernetes version", kubeVersion), Detail: err.Error()}
		}
		caps.KubeVersion = parsed.Version
	}
	return caps, nil
}

// helm converts to the type that templates see as .Capabilities.
func (c Capabilities) helm() (*common.Capabilities, error) {
	out := common.DefaultCapabilities.Copy()
	if c.APIVersions != nil {
		out.APIVersions = c.APIVersions
	}
	switch {
	case c.KubeVersion == "":
	case c.Major != "":
		out.KubeVersion = common.KubeVersion{Version: c.KubeVersion, Major: c.Major, Minor: c.Minor}
	default:
		parsed, err := common.ParseKubeVersion(c.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("reading the Kubernetes version %q: %w", c.KubeVersion, err)
		}
		out.KubeVersion = *parsed
	}
	return out, nil
}
