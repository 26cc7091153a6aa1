package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// ociPrefix is what references to registries begin with.
const ociPrefix = "oci://"

// onePath completes one path.
func onePath(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nothing()
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// completeRepositories completes the names of chart repositories, any number.
func (a *app) completeRepositories(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	all, err := a.sources(nil).Repositories()
	if err != nil {
		return nothing()
	}
	var names []string
next:
	for _, r := range all {
		for _, g := range given {
			if g == r.Name {
				continue next
			}
		}
		names = append(names, r.Name+"\t"+r.URL)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeChart completes one chart: a path, or one of a repository.
func (a *app) completeChart(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nothing()
	}
	found, directive := a.completeRemoteChart(cmd, given, typed)
	if typed == "" && len(found) > 0 {
		found = append(found, "./\ta path")
	}
	return found, directive &^ cobra.ShellCompDirectiveNoFileComp
}

// completeRemoteChart completes charts of repositories: first the repository,
// then the chart.
func (a *app) completeRemoteChart(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	client := a.sources(nil)
	all, err := client.Repositories()
	if err != nil {
		return nothing()
	}
	var found []string
	for _, r := range all {
		if strings.HasPrefix(typed, r.Name+"/") {
			return client.ChartNames(r.Name), cobra.ShellCompDirectiveNoFileComp
		}
		if strings.HasPrefix(r.Name, typed) {
			found = append(found, r.Name+"/\t"+r.URL)
		}
	}
	if rest, begun := strings.CutPrefix(ociPrefix, typed); begun && rest != ociPrefix {
		found = append(found, ociPrefix)
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(found) > 0 {
		directive |= cobra.ShellCompDirectiveNoSpace
		// A shell that is given words offers no files by itself.
		if files, err := os.ReadDir("."); err == nil && typed != "" {
			for _, file := range files {
				if strings.HasPrefix(file.Name(), typed) {
					found = append(found, file.Name())
				}
			}
		}
	}
	return found, directive
}

// completeVersion completes --version with the versions of the chart that is
// the argument of that number.
func (a *app) completeVersion(cmd *cobra.Command, at int) {
	complete := func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(given) <= at {
			return nothing()
		}
		repo, name, found := strings.Cut(given[at], "/")
		if !found {
			return nothing()
		}
		return a.sources(nil).Versions(repo, name), cobra.ShellCompDirectiveNoFileComp
	}
	_ = cmd.RegisterFlagCompletionFunc("version", complete) // the flag is there: the caller has added it
}
