package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
)

// version is set by the linker for releases: -X .../internal/cli.version=v1.2.3.
var version string

// developing is the version of builds that were not made for a release.
const developing = "v0.1.0-dev"

// Version is that of this binary.
func Version() string { return buildVersion(version, debug.ReadBuildInfo) }

// buildVersion prefers what the linker was told, then the tag that
// `go install module@version` was given.
func buildVersion(linked string, read func() (*debug.BuildInfo, bool)) string {
	if linked != "" {
		return linked
	}
	info, ok := read()
	if !ok {
		return developing
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" || strings.HasPrefix(v, "v0.0.0-") || strings.Contains(v, "+dirty") {
		return developing
	}
	return v
}

// versionInfo is what --template may use; its names are Helm's.
type versionInfo struct {
	Version      string
	GitCommit    string
	GitTreeState string
	GoVersion    string
	// HelmVersion is that of the Helm packages that read and render charts.
	HelmVersion string
}

func currentVersion() versionInfo {
	v := versionInfo{Version: Version(), GoVersion: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.GitCommit = s.Value
		case "vcs.modified":
			v.GitTreeState = map[string]string{"true": "dirty", "false": "clean"}[s.Value]
		}
	}
	for _, d := range info.Deps {
		if d.Path == "helm.sh/helm/v4" {
			v.HelmVersion = d.Version
		}
	}
	return v
}

// String is the line that `version` prints.
func (v versionInfo) String() string {
	charts := v.HelmVersion
	if charts == "" {
		charts = "unknown version"
	}
	return fmt.Sprintf("pintle %s (%s, Helm charts of %s)", v.Version, v.GoVersion, charts)
}

// short is the version, with the commit where it is known, as Helm has it.
func (v versionInfo) short() string {
	if len(v.GitCommit) < 7 {
		return v.Version
	}
	return v.Version + "+g" + v.GitCommit[:7]
}

func newVersion(a *app) *cobra.Command {
	var short bool
	var text string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "print the version of pintle",
		Long: lines("Prints the version of pintle, of Go, and of the Helm packages that read and render charts.",
			"", "With --template, .Version, .GitCommit, .GitTreeState, .GoVersion and .HelmVersion can be used."),
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.run(func(*cobra.Command, []string) error {
			v := currentVersion()
			if a.asHelm {
				b := v.helmBuild(debug.ReadBuildInfo)
				return a.writeVersion(text, b, map[bool]string{true: b.short(), false: b.line()}[short])
			}
			return a.writeVersion(text, v, map[bool]string{true: v.short(), false: v.String()}[short])
		}),
	}
	cmd.Flags().BoolVar(&short, "short", false, "print the version number alone")
	cmd.Flags().StringVar(&text, "template", "", "print a Go template")
	// Helm has taken this one for nothing since its second version.
	cmd.Flags().BoolP("client", "c", false, "without effect: there is no server")
	_ = cmd.Flags().MarkHidden("client") // the flag is there: it was added above
	return cmd
}

// writeVersion writes a line, or the template if there is one.
func (a *app) writeVersion(text string, info any, line string) error {
	if text == "" {
		_, err := fmt.Fprintln(a.streams.Out, line)
		return err
	}
	t, err := template.New("version").Parse(text)
	if err != nil {
		return asUsage(fmt.Errorf("reading --template: %w", err))
	}
	return t.Execute(a.streams.Out, info)
}
