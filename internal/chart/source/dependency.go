package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/registry"
)

// Unlisted is a repository that is in no list, by its URL alone. Its index is
// cached under the name that Helm gives it.
func Unlisted(address string, a Access) Repository {
	sum := sha256.Sum256([]byte(address))
	return Repository{
		Name: "helm-manager-" + hex.EncodeToString(sum[:]), URL: address,
		CAFile: a.CAFile, CertFile: a.CertFile, KeyFile: a.KeyFile, InsecureSkipTLSVerify: a.InsecureSkipTLSVerify,
	}
}

// SameURL compares the URLs of repositories, whatever their slashes at the end.
func SameURL(a, b string) bool {
	au, errA := url.Parse(a)
	bu, errB := url.Parse(b)
	if errA != nil || errB != nil {
		return a == b
	}
	for _, u := range []*url.URL{au, bu} {
		u.Path = path.Clean("/" + u.Path)
		u.RawPath = ""
	}
	return au.String() == bu.String()
}

// Newest is the newest version of a chart within a range, by a repository's
// cached index.
func (c *Client) Newest(r Repository, name, version string) (string, error) {
	index, err := c.Index(r.Name)
	if err != nil {
		return "", err
	}
	at, err := c.locateIn(index, Mask(r.URL), name, r, Request{Version: version})
	return at.version, err
}

// NewestTag is the newest version of a chart within a range, by its tags in a
// registry. A version that is no range is taken as it is.
func (c *Client) NewestTag(ctx context.Context, ref, version string, a Access) (string, error) {
	if exact, err := semver.NewVersion(version); err == nil {
		return exact.Original(), nil
	}
	within, err := semver.NewConstraint(version)
	if err != nil {
		return "", diag.Problem{Summary: fmt.Sprintf("%q is neither a version nor a range of versions", version), Detail: err.Error()}
	}
	client, err := c.registry(ctx, a, nil)
	if err != nil {
		return "", err
	}
	path := strings.TrimPrefix(ref, ociScheme+"://")
	host, _, _ := strings.Cut(path, "/")
	tags, err := client.Tags(path)
	if err != nil {
		return "", registryTrouble(host, ref, fetching{access: a, what: "the chart's tags"}, err)
	}
	for _, tag := range tags {
		if v, err := semver.NewVersion(tag); err == nil && within.Check(v) {
			return tag, nil
		}
	}
	return "", diag.Problem{Summary: fmt.Sprintf("%s has no version %s", ref, version), Detail: "it has " + strings.Join(tags, ", ")}
}

// IsOCI tells references to registries.
func IsOCI(ref string) bool { return registry.IsOCI(ref) }

// GetFrom fetches a version of a chart from a repository, by its cached index.
func (c *Client) GetFrom(ctx context.Context, r Repository, name, version string, provenance bool) (Archive, error) {
	index, err := c.Index(r.Name)
	if err != nil {
		return Archive{}, err
	}
	at, err := c.locateIn(index, Mask(r.URL), name, r, Request{Version: version})
	if err != nil {
		return Archive{}, err
	}
	return c.fetchFrom(ctx, at, provenance)
}

// Get fetches a chart by its reference.
func (c *Client) Get(ctx context.Context, ref string, r Request, provenance bool) (Archive, error) {
	return c.fetchChart(ctx, ref, r, provenance)
}
