package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
)

// getHTTP fetches over http or https. The login goes to its home only, or
// wherever PassCredentials lets it; after a redirect to elsewhere it is gone.
func (c *Client) getHTTP(ctx context.Context, u *url.URL, f fetching) ([]byte, error) {
	client, err := c.httpClient(ctx, f.access, f.limit)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, badURL(f.url, err)
	}
	if f.accept != "" {
		request.Header.Set("Accept", f.accept)
	}
	withheld := false
	if f.access.Username != "" && f.access.Password != "" {
		if home, err := url.Parse(f.home); f.access.PassCredentials || err == nil && sameOrigin(home, u) {
			request.SetBasicAuth(f.access.Username, f.access.Password)
		} else {
			withheld = true
		}
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, unreachable(u, f, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, refusal{asked: u, answered: response.Request.URL, status: response.StatusCode, what: f.what, login: request.Header.Get("Authorization") != "", withheld: withheld}.problem()
	}
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, unreachable(u, f, err)
	}
	return data, nil
}

// sameOrigin compares scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// httpClient makes the requests of one fetching. They end with ctx.
func (c *Client) httpClient(ctx context.Context, a Access, limit int64) (*http.Client, error) {
	transport, err := c.transport(a)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: &courier{ctx: ctx, client: c, base: transport, limit: limit},
		Timeout:   c.timeout(),
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if len(before) >= 10 {
				return fmt.Errorf("more than 10 redirects")
			}
			// Go itself takes another port, and hosts below, for the same host.
			if !a.PassCredentials && !sameOrigin(before[0].URL, next.URL) {
				next.Header.Del("Authorization")
			}
			return nil
		},
	}, nil
}

// transport is shared by all requests of the same access.
func (c *Client) transport(a Access) (*http.Transport, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := Access{CAFile: a.CAFile, CertFile: a.CertFile, KeyFile: a.KeyFile, InsecureSkipTLSVerify: a.InsecureSkipTLSVerify}
	if t, ok := c.transports[key]; ok {
		return t, nil
	}
	config, err := key.tls()
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 15 * time.Second,
		TLSClientConfig:     config,
		// What a server has compressed is the file itself: a chart is a .tgz.
		DisableCompression: true,
	}
	c.transports[key] = t
	return t, nil
}

func (a Access) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: a.InsecureSkipTLSVerify} //nolint:gosec // the user asks for it
	if a.CertFile != "" && a.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
		if err != nil {
			return nil, diag.Problem{Summary: fmt.Sprintf("the certificate %s and its key %s cannot be used", a.CertFile, a.KeyFile), Detail: err.Error()}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if a.CAFile != "" {
		pem, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, diag.Problem{Summary: fmt.Sprintf("the CA file %s cannot be read", a.CAFile), Detail: err.Error()}
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, diag.Problem{Summary: fmt.Sprintf("the CA file %s holds no certificate in PEM form", a.CAFile)}
		}
	}
	return config, nil
}
