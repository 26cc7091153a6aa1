package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/registry"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

const ociScheme = registry.OCIScheme

// registry is Helm's registry client, over our own connections.
func (c *Client) registry(ctx context.Context, a Access, told io.Writer) (*registry.Client, error) {
	client, err := c.httpClient(ctx, a, maxChart)
	if err != nil {
		return nil, err
	}
	if told == nil {
		told = io.Discard
	}
	options := []registry.ClientOption{
		registry.ClientOptHTTPClient(client), registry.ClientOptEnableCache(true), registry.ClientOptWriter(told),
		registry.ClientOptCredentialsFile(c.RegistryConfig), registry.ClientOptBasicAuth(a.Username, a.Password),
	}
	if a.PlainHTTP {
		options = append(options, registry.ClientOptPlainHTTP())
	}
	r, err := registry.NewClient(options...)
	if err != nil {
		return nil, diag.Problem{Summary: "the registry login cannot be read", Detail: err.Error(), File: c.RegistryConfig}
	}
	return r, nil
}

// locateOCI settles tag and digest; for a range of versions it asks for the
// tags.
func (c *Client) locateOCI(ctx context.Context, ref string, r Request) (place, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return place{}, badURL(ref, err)
	}
	client, err := c.registry(ctx, r.Access, nil)
	if err != nil {
		return place{}, err
	}
	f := fetching{url: ref, access: r.Access, what: "the chart's tags"}
	host := u.Host
	digest, found, err := client.ValidateReference(ref, r.version(), u)
	if err != nil {
		return place{}, registryTrouble(host, ref, f, err)
	}
	f.url = found.String()
	name := path.Base(found.Path)
	if at := strings.LastIndexByte(name, ':'); at >= 0 {
		name = name[:at] + "-" + name[at+1:] + ".tgz"
	}
	return place{fetching: f, digest: plainDigest(digest), name: name}, nil
}

// fetchOCIChart pulls a chart, and with it its provenance.
func (c *Client) fetchOCIChart(ctx context.Context, at place, provenance bool) (Archive, error) {
	client, err := c.registry(ctx, at.access, c.Told)
	if err != nil {
		return Archive{}, err
	}
	ref := strings.TrimPrefix(at.url, ociScheme+"://")
	host, _, _ := strings.Cut(ref, "/")
	pulled, err := client.Pull(ref, registry.PullOptWithProv(provenance), registry.PullOptIgnoreMissingProv(true))
	if err != nil {
		return Archive{}, registryTrouble(host, at.url, at.fetching, err)
	}
	p := Archive{Name: at.name, Data: pulled.Chart.Data}
	if provenance {
		p.Provenance = pulled.Prov.Data
		if len(p.Provenance) == 0 {
			return Archive{}, diag.Problem{Summary: fmt.Sprintf("%s has no provenance, which --verify needs", at.url)}
		}
		// The tag may be a digest; the signature is of the archive's own name.
		if meta := pulled.Chart.Meta; meta != nil {
			p.Name = fmt.Sprintf("%s-%s.tgz", meta.Name, meta.Version)
		}
	}
	return p, nil
}

// getOCI fetches what is neither chart nor index, which only a chart's own
// address can be.
func (c *Client) getOCI(ctx context.Context, f fetching) ([]byte, error) {
	at, err := c.locateOCI(ctx, f.url, Request{Access: f.access})
	if err != nil {
		return nil, err
	}
	p, err := c.fetchOCIChart(ctx, at, false)
	return p.Data, err
}

// registryTrouble explains what a registry client reports.
func registryTrouble(host, ref string, f fetching, err error) error {
	if found := diag.Problems(err); found != nil {
		return found
	}
	asked := &url.URL{Scheme: "https", Host: host, Path: "/v2/"}
	f.url = ref
	var answer *errcode.ErrorResponse
	var transport *url.Error
	switch {
	case errors.As(err, &answer):
		return refusal{
			asked: answer.URL, status: answer.StatusCode, what: f.what, login: f.access.Username != "", registry: host,
		}.problem()
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return refusal{asked: asked, status: http.StatusUnauthorized, what: f.what, registry: host}.problem()
	case errors.As(err, &transport):
		if u, parseErr := url.Parse(transport.URL); parseErr == nil {
			asked = u
		}
		return unreachable(asked, f, err)
	case errors.Is(err, errdef.ErrNotFound):
		return diag.Problem{Summary: fmt.Sprintf("%s does not have %s", host, Mask(ref)), Detail: err.Error()}
	}
	return diag.Problem{Summary: fmt.Sprintf("%s cannot be used", Mask(ref)), Detail: err.Error()}
}

// Login checks a login with a registry and keeps it where Helm and Docker do.
// It writes to Told what Helm writes.
func (c *Client) Login(ctx context.Context, host string, a Access) error {
	client, err := c.registry(ctx, a, c.Told)
	if err != nil {
		return err
	}
	err = client.Login(host, registry.LoginOptBasicAuth(a.Username, a.Password), registry.LoginOptPlainText(a.PlainHTTP))
	if err != nil {
		return registryTrouble(host, ociScheme+"://"+host, fetching{access: a, what: "the login"}, err)
	}
	return nil
}

// Logout drops a login.
func (c *Client) Logout(ctx context.Context, host string) error {
	client, err := c.registry(ctx, Access{}, c.Told)
	if err != nil {
		return err
	}
	if err := client.Logout(host); err != nil {
		return diag.Problem{Summary: "the login of " + host + " cannot be removed", Detail: err.Error(), File: c.RegistryConfig}
	}
	return nil
}
