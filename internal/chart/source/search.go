package source

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/diag"
)

// SearchOptions say what is searched for in the cached indexes.
type SearchOptions struct {
	// Term is looked for in names, descriptions and keywords; empty finds all.
	Term string
	// Regexp takes the term for a regular expression.
	Regexp bool
	// Version is a range; empty takes all but pre-releases, and with Devel those too.
	Version string
	Devel   bool
	// AllVersions lists every version, not the newest alone.
	AllVersions bool
}

// Hit is a chart that was found. Its name begins with that of its repository.
type Hit struct {
	Name, Version, AppVersion, Description string

	// place is the field that the term was found in, by its number.
	place  int
	parsed *semver.Version
}

// Search looks through the cached indexes of all repositories. Hits in names
// come first, then by name, the newest version first. A repository without an
// index is told and left out.
func (c *Client) Search(o SearchOptions) ([]Hit, error) {
	all, err := c.Repositories()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, diag.Problem{Summary: "no repositories configured", Detail: "add one with `pintle repo add NAME URL`"}
	}
	within, err := o.within()
	if err != nil {
		return nil, err
	}
	match, err := o.matcher()
	if err != nil {
		return nil, err
	}
	var hits []Hit
	for _, repo := range all {
		index, err := c.Index(repo.Name)
		if err != nil {
			c.warn(err.Error())
			continue
		}
		for name, versions := range index.Entries {
			hits = append(hits, o.hits(path.Join(repo.Name, name), repo.Name, versions, within, match)...)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.Name, b.Name), b.parsed.Compare(a.parsed))
	})
	return hits, nil
}

func (o SearchOptions) within() (*semver.Constraints, error) {
	version := o.Version
	if version == "" {
		version = ">0.0.0"
		if o.Devel {
			version = ">0.0.0-0"
		}
	}
	within, err := semver.NewConstraint(version)
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("--version %q is not a range of versions", version), Detail: err.Error()}
	}
	return within, nil
}

// matcher returns where a text matches, below zero for nowhere.
func (o SearchOptions) matcher() (func(string) int, error) {
	if !o.Regexp {
		term := strings.ToLower(o.Term)
		return func(text string) int { return strings.Index(strings.ToLower(text), term) }, nil
	}
	expression, err := regexp.Compile(o.Term)
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("%q is not a regular expression", o.Term), Detail: err.Error()}
	}
	return func(text string) int {
		if at := expression.FindStringIndex(text); at != nil {
			return at[0]
		}
		return -1
	}, nil
}

// between separates the fields that are searched as one text.
const between = "\v"

// hits are the versions of one chart that fit: the newest of them, or all.
func (o SearchOptions) hits(name, repo string, versions []*IndexedChart, within *semver.Constraints, match func(string) int) []Hit {
	var hits []Hit
	for _, v := range versions {
		parsed, err := semver.NewVersion(v.Version)
		if err != nil || !within.Check(parsed) {
			continue
		}
		text := strings.Join([]string{v.Name, repo + "/" + v.Name, v.Description, strings.Join(v.Keywords, " ")}, between)
		at := match(text)
		if at < 0 {
			continue
		}
		place := 0
		if o.Term != "" {
			place = strings.Count(text[:at], between)
		}
		hits = append(hits, Hit{Name: name, Version: v.Version, AppVersion: v.AppVersion, Description: v.Description, place: place, parsed: parsed})
		if !o.AllVersions {
			break
		}
	}
	return hits
}
