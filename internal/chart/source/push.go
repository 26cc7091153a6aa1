package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/registry"
)

// Push pushes an archive, and the signature beside it, to a registry: to the
// path of the remote URL with the chart's name, tagged with its version.
func (c *Client) Push(ctx context.Context, archive, remote string, a Access) error {
	if !strings.Contains(remote, "://") {
		return diag.Problem{Summary: fmt.Sprintf("scheme prefix missing from remote (e.g. %q)", ociScheme+"://"), Detail: "write " + ociScheme + "://" + remote}
	}
	u, err := url.Parse(remote)
	switch {
	case err != nil:
		return badURL(remote, err)
	case u.Scheme != ociScheme:
		return diag.Problem{Summary: fmt.Sprintf("scheme prefix %q is not supported: charts are pushed to registries (%s://)", u.Scheme, ociScheme)}
	}
	info, err := os.Stat(archive)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return diag.Problem{Summary: archive + ": no such file"}
	case err != nil:
		return diag.Problem{Summary: archive + " cannot be read", Detail: err.Error()}
	case info.IsDir():
		return diag.Problem{Summary: "cannot push directory, must provide chart archive (.tgz)", Detail: "`pintle package " + archive + "` makes one"}
	}
	loaded, err := loader.LoadFile(archive)
	if err != nil {
		return diag.Problem{Summary: archive + " is not a chart", Detail: err.Error()}
	}
	data, err := os.ReadFile(archive)
	if err != nil {
		return diag.Problem{Summary: archive + " cannot be read", Detail: err.Error()}
	}
	options := []registry.PushOption{registry.PushOptCreationTime(info.ModTime().Format(time.RFC3339))}
	if signed, err := os.ReadFile(archive + ".prov"); err == nil {
		options = append(options, registry.PushOptProvData(signed))
	}
	client, err := c.registry(ctx, a, c.Told)
	if err != nil {
		return err
	}
	ref := path.Join(strings.TrimPrefix(remote, ociScheme+"://"), loaded.Name()) + ":" + loaded.Metadata.Version
	if _, err := client.Push(data, ref, options...); err != nil {
		return registryTrouble(u.Host, ociScheme+"://"+ref, fetching{access: a, what: "the push of " + loaded.Name()}, err)
	}
	return nil
}
