package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/pintle-dev/pintle/internal/chart/plugin"
	"github.com/pintle-dev/pintle/internal/diag"
)

// getPlugin has a plugin fetch. It is given the login only for its home.
func (c *Client) getPlugin(ctx context.Context, p *plugin.Plugin, u *url.URL, f fetching) ([]byte, error) {
	a := f.access
	if home, err := url.Parse(f.home); !a.PassCredentials && (err != nil || !sameOrigin(home, u)) {
		a.Username, a.Password = "", ""
	}
	command, err := p.Get(plugin.Fetching{
		URL: f.url, Scheme: u.Scheme, Username: a.Username, Password: a.Password, PassCredentials: a.PassCredentials,
		CertFile: a.CertFile, KeyFile: a.KeyFile, CAFile: a.CAFile, Env: c.pluginEnv(),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	c.debug(fmt.Sprintf("plugin %s: %s", p.Name, maskURL(u)))
	out, said, err := command.Run(ctx, "")
	switch {
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.Is(err, context.DeadlineExceeded):
		return nil, diag.Problem{Summary: fmt.Sprintf("the plugin %s did not fetch %s in %s", p.Name, maskURL(u), c.timeout()), Detail: said}
	case err != nil:
		return nil, diag.Problem{Summary: fmt.Sprintf("the plugin %s did not fetch %s: %v", p.Name, maskURL(u), err), Detail: said}
	case int64(len(out)) > f.limit:
		return nil, diag.Problem{Summary: fmt.Sprintf("%s that the plugin %s fetched is larger than %d MiB", f.what, p.Name, f.limit>>20)}
	}
	return []byte(out), nil
}
