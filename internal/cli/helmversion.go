package cli

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// helmRelease is the Helm that we are a drop-in for, where the binary does not
// say which one's packages it holds.
const helmRelease = "v4.3.1"

// helmBuild is what Helm's `version` tells, with its names: tools read it from
// --template, people as Go writes it.
type helmBuild struct {
	Version           string
	GitCommit         string
	GitTreeState      string
	GoVersion         string
	KubeClientVersion string
}

// helmBuild is what we answer when we are asked as helm: the version of the
// Helm whose packages read and render charts here, since that is what tools
// decide by. The commit is our own.
func (v versionInfo) helmBuild(read func() (*debug.BuildInfo, bool)) helmBuild {
	b := helmBuild{Version: v.HelmVersion, GitCommit: v.GitCommit, GitTreeState: v.GitTreeState, GoVersion: v.GoVersion}
	if b.Version == "" {
		b.Version = helmRelease
	}
	if info, ok := read(); ok {
		b.KubeClientVersion = kubeVersion(info.Deps)
	}
	return b
}

// kubeVersion is that of Kubernetes whose client is used: v0.37.1 is of v1.37.
func kubeVersion(modules []*debug.Module) string {
	for _, m := range modules {
		minor, isZero := strings.CutPrefix(m.Version, "v0.")
		if m.Path == "k8s.io/client-go" && isZero {
			minor, _, _ = strings.Cut(minor, ".")
			return "v1." + minor
		}
	}
	return ""
}

// line is what Helm prints.
func (b helmBuild) line() string {
	return fmt.Sprintf("version.BuildInfo{Version:%q, GitCommit:%q, GitTreeState:%q, GoVersion:%q, KubeClientVersion:%q}",
		b.Version, b.GitCommit, b.GitTreeState, b.GoVersion, b.KubeClientVersion)
}

// short is the version, with the commit where it is known.
func (b helmBuild) short() string {
	if len(b.GitCommit) < 7 {
		return b.Version
	}
	return b.Version + "+g" + b.GitCommit[:7]
}
