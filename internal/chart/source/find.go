package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/diag"
)

// Request says which version of a chart is wanted, and how to reach it.
type Request struct {
	// Version is a version, a range of versions, or empty for the newest that
	// is no pre-release.
	Version string
	// Devel takes pre-releases too, where Version is empty.
	Devel bool
	// RepoURL is the repository to look in; the reference is then the chart's
	// name alone.
	RepoURL string
	// Verify checks the chart's signature with the keys of Keyring.
	Verify  bool
	Keyring string
	Access  Access
}

func (r Request) version() string {
	if r.Version == "" && r.Devel {
		return ">0.0.0-0"
	}
	return strings.TrimSpace(r.Version)
}

// Found is a chart on the disk.
type Found struct {
	// Path is that of a folder or an archive.
	Path string
	// Fetched tells that it was not on the disk before; Path is then in the
	// cache and has no meaning for the user.
	Fetched bool
	// Signature is set when it was verified.
	Signature *Signature
}

// Find turns a chart reference into a path: that of a folder or an archive as
// it is, else what was fetched, which is kept in Helm's cache.
func (c *Client) Find(ctx context.Context, ref string, r Request) (Found, error) {
	ref = strings.TrimSpace(ref)
	if ref == "" {
		return Found{}, diag.Problem{Summary: "no chart was named", Detail: "give the path of a folder or an archive (.tgz), repository/chart, or a URL"}
	}
	if r.RepoURL == "" {
		if _, err := os.Stat(ref); err == nil {
			found := Found{Path: ref}
			if r.Verify {
				found.Signature, err = VerifyFile(ref, r.Keyring)
			}
			return found, err
		}
		if filepath.IsAbs(ref) || strings.HasPrefix(ref, ".") {
			return Found{}, notOnDisk(ref)
		}
	}
	p, err := c.fetchChart(ctx, ref, r, r.Verify)
	if err != nil {
		return Found{}, err
	}
	found := Found{Fetched: true}
	digest := digestOf(p.Data)
	if found.Path, err = c.keep(digest, chartFile, p.Data); err != nil {
		return Found{}, fmt.Errorf("keeping the chart %s: %w", ref, err)
	}
	if r.Verify {
		if found.Signature, err = p.Verify(r.Keyring); err != nil {
			return Found{}, err
		}
		if _, err := c.keep(digest, provenanceFile, p.Provenance); err != nil {
			return Found{}, fmt.Errorf("keeping the provenance of %s: %w", ref, err)
		}
	}
	return found, nil
}

func notOnDisk(ref string) diag.Problem {
	if _, err := os.Stat(ref); err == nil {
		return diag.Problem{Summary: fmt.Sprintf("%q is on the disk, and is looked for elsewhere", ref), Detail: "what is on the disk needs no fetching"}
	}
	at := ref
	if abs, err := filepath.Abs(ref); err == nil {
		at = abs
	}
	return diag.Problem{Summary: fmt.Sprintf("no chart %q", ref), Detail: "there is no folder and no archive at " + at}
}

// Archive is a chart that was fetched.
type Archive struct {
	// Name is that of the file, such as web-1.2.0.tgz.
	Name string
	Data []byte
	// Provenance is its signature, where it was asked for.
	Provenance []byte
}

// Verify checks the signature with the keys of a keyring.
func (a Archive) Verify(keyring string) (*Signature, error) {
	return verify(a.Data, a.Provenance, a.Name, keyring)
}

// place is where a chart is to be had.
type place struct {
	fetching
	// digest of the archive, plain; empty when nobody says.
	digest string
	name   string
	// version is set where an index has told it.
	version string
}

// fetchChart fetches a chart that is not on the disk, and its provenance.
func (c *Client) fetchChart(ctx context.Context, ref string, r Request, provenance bool) (Archive, error) {
	at, err := c.locate(ctx, ref, r)
	if err != nil {
		return Archive{}, err
	}
	return c.fetchFrom(ctx, at, provenance)
}

// fetchFrom fetches a chart from its place.
func (c *Client) fetchFrom(ctx context.Context, at place, provenance bool) (Archive, error) {
	at.accept, at.limit, at.what = "application/gzip,application/octet-stream", maxChart, "the chart"
	if at.scheme() == ociScheme {
		return c.fetchOCIChart(ctx, at, provenance)
	}
	p := Archive{Name: at.name}
	var cached bool
	var err error
	if p.Data, cached = c.fromCache(at.digest); !cached {
		if p.Data, err = c.get(ctx, at.fetching); err != nil {
			return Archive{}, err
		}
		if got := digestOf(p.Data); at.digest != "" && got != at.digest {
			return Archive{}, diag.Problem{
				Summary: fmt.Sprintf("what %s holds is not the chart of the index", Mask(at.url)),
				Detail:  fmt.Sprintf("its SHA-256 is %s, and the index says %s: it was changed on its way or on the server, or the index is old (`pintle repo update`)", got, at.digest),
			}
		}
	}
	if err := isArchive(p.Data, at.url); err != nil {
		return Archive{}, err
	}
	if provenance {
		p.Provenance, err = c.get(ctx, at.forProvenance())
	}
	return p, err
}

// isArchive tells early, and in words, that a page was sent instead of a chart.
func isArchive(data []byte, address string) error {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return nil
	}
	return diag.Problem{Summary: fmt.Sprintf("what %s holds is not a chart", Mask(address)), Detail: "a chart is a gzipped tar archive (.tgz)"}
}

// forProvenance is the fetching of the file beside the chart that signs it.
func (p place) forProvenance() fetching {
	f := p.fetching
	f.accept, f.what = "", "the provenance (.prov) that --verify needs"
	if u, err := url.Parse(f.url); err == nil && u.RawQuery != "" {
		u.Path += ".prov"
		f.url = u.String()
		return f
	}
	f.url += ".prov"
	return f
}

// locate finds out where a chart is.
func (c *Client) locate(ctx context.Context, ref string, r Request) (place, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return place{}, badURL(ref, err)
	}
	switch {
	case r.RepoURL != "":
		return c.locateInURL(ctx, ref, r)
	case u.Scheme == ociScheme:
		return c.locateOCI(ctx, ref, r)
	case u.Scheme != "" && (u.Host != "" || u.Path != ""):
		return c.locateURL(u, r)
	}
	return c.locateByName(ref, r)
}

// locateInURL looks in the repository of --repo.
func (c *Client) locateInURL(ctx context.Context, name string, r Request) (place, error) {
	if strings.HasPrefix(r.RepoURL, ociScheme+"://") {
		return place{}, diag.Problem{
			Summary: "--repo is for chart repositories, and " + Mask(r.RepoURL) + " is a registry",
			Detail:  "name the chart itself: " + strings.TrimSuffix(Mask(r.RepoURL), "/") + "/" + name,
		}
	}
	a := r.Access
	index, _, err := c.fetchIndex(ctx, Repository{
		URL: r.RepoURL, Username: a.Username, Password: a.Password, PassCredentialsAll: a.PassCredentials,
		CAFile: a.CAFile, CertFile: a.CertFile, KeyFile: a.KeyFile, InsecureSkipTLSVerify: a.InsecureSkipTLSVerify,
	})
	if err != nil {
		return place{}, err
	}
	return c.locateIn(index, Mask(r.RepoURL), name, Repository{URL: r.RepoURL}, r)
}

// locateByName looks in the cached index of a repository that was added.
func (c *Client) locateByName(ref string, r Request) (place, error) {
	repo, name, found := strings.Cut(ref, "/")
	if !found {
		p := notOnDisk(ref)
		p.Detail += "\na chart of a repository is written repository/chart, one of a registry oci://host/path/chart"
		return place{}, p
	}
	entry, known, err := c.repository(repo)
	if err != nil {
		return place{}, err
	}
	if !known {
		p := notOnDisk(ref)
		p.Detail += fmt.Sprintf("\nand no repository %s is known: add it with `pintle repo add %s URL`", repo, repo)
		return place{}, p
	}
	index, err := c.Index(repo)
	if err != nil {
		return place{}, err
	}
	return c.locateIn(index, "the repository "+repo, name, entry, r)
}

// locateIn picks a version out of an index.
func (c *Client) locateIn(index *Index, where, name string, home Repository, r Request) (place, error) {
	version := r.version()
	entry, err := index.find(name, version)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return place{}, diag.Problem{Summary: fmt.Sprintf("%s has no chart %q", where, name), Detail: near(index, name)}
	case errors.Is(err, errNoVersion):
		return place{}, noVersion(index, where, name, version)
	case err != nil:
		return place{}, err
	case len(entry.URLs) == 0:
		return place{}, diag.Problem{Summary: fmt.Sprintf("the index of %s gives no URL for %s %s", where, name, entry.Version)}
	}
	if _, exact := semver.StrictNewVersion(version); exact == nil && entry.Version != version {
		c.warn(fmt.Sprintf("%s has no %s of version %s: %s is used", where, name, version, entry.Version))
	}
	address, err := resolve(home.URL, entry.URLs[0])
	if err != nil {
		return place{}, err
	}
	if strings.HasPrefix(address, ociScheme+"://") {
		return place{}, diag.Problem{Summary: fmt.Sprintf("%s keeps %s in a registry", where, name), Detail: "use it directly: " + Mask(address)}
	}
	return place{
		fetching: fetching{url: address, home: home.URL, access: r.Access.over(home.access())},
		digest:   plainDigest(entry.Digest), name: archiveName(address), version: entry.Version,
	}, nil
}

// near names charts that may have been meant.
func near(index *Index, name string) string {
	var alike []string
	for other := range index.Entries {
		if strings.Contains(other, name) || strings.Contains(name, other) {
			alike = append(alike, other)
		}
	}
	if len(alike) == 0 || len(alike) > 5 {
		return fmt.Sprintf("it has %d charts; if it is new there, `pintle repo update` fetches the index again", len(index.Entries))
	}
	return "it has " + strings.Join(sorted(alike), ", ")
}

func noVersion(index *Index, where, name, version string) error {
	var have []string
	for _, v := range index.Entries[name] {
		have = append(have, v.Version)
	}
	if len(have) > 5 {
		have = append(have[:5], fmt.Sprintf("and %d more", len(index.Entries[name])-5))
	}
	wanted := "of version " + version
	if version == "" {
		wanted = "that is no pre-release (--devel takes those too)"
	}
	return diag.Problem{Summary: fmt.Sprintf("%s has no %s %s", where, name, wanted), Detail: "it has " + strings.Join(have, ", ")}
}

// locateURL is for a chart's own URL. Where a repository that was added has it
// in its index, that repository's login and certificates are used.
func (c *Client) locateURL(u *url.URL, r Request) (place, error) {
	address := u.String()
	at := place{fetching: fetching{url: address, home: address, access: r.Access}, name: archiveName(address)}
	all, err := c.Repositories()
	if err != nil {
		return place{}, err
	}
	for _, repo := range all {
		data, err := os.ReadFile(c.indexPath(repo.Name))
		if err != nil || !bytes.Contains(data, []byte(path.Base(u.Path))) {
			continue // reading an index takes long
		}
		if index, err := parseIndex(data, repo.Name); err == nil && index.has(repo.URL, address) {
			at.home, at.access = repo.URL, r.Access.over(repo.access())
			break
		}
	}
	return at, nil
}

// has tells whether an entry is at an address; base is the repository's URL.
func (i *Index) has(base, address string) bool {
	for _, versions := range i.Entries {
		for _, v := range versions {
			for _, u := range v.URLs {
				if full, err := resolve(base, u); err == nil && full == address {
					return true
				}
			}
		}
	}
	return false
}

// archiveName is the file name in a URL.
func archiveName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return cmp.Or(path.Base(address), "chart.tgz")
	}
	return path.Base(u.Path)
}

// resolve makes a URL of an index absolute: it counts from the repository's.
func resolve(base, ref string) (string, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return "", badURL(ref, err)
	}
	if u.IsAbs() {
		return ref, nil
	}
	b, err := url.Parse(base)
	if err != nil {
		return "", badURL(base, err)
	}
	if !b.IsAbs() {
		return "", diag.Problem{Summary: fmt.Sprintf("%q is not the URL of a repository", base), Detail: "it begins with https://, or another scheme"}
	}
	b.RawPath = strings.TrimSuffix(b.RawPath, "/") + "/"
	b.Path = strings.TrimSuffix(b.Path, "/") + "/"
	out := b.ResolveReference(u)
	out.RawQuery = b.RawQuery
	return out.String(), nil
}
