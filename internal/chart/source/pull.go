package source

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/chart/v2/util"
)

// PullOptions say what becomes of a pulled chart.
type PullOptions struct {
	// Destination is the folder that the archive goes into.
	Destination string
	// Untar unpacks it into UntarDir, counted from Destination, instead.
	Untar    bool
	UntarDir string
	// Provenance keeps the signature beside the archive, unchecked.
	Provenance bool
	// Check looks into an archive before it is unpacked; nil checks nothing but
	// what Helm's loader does. Its error is shown as it is.
	Check func(name string, archive []byte) error
}

// Pull fetches a chart into a folder. The signature is nil unless it was asked
// to be verified. Nothing is written unless all went well.
func (c *Client) Pull(ctx context.Context, ref string, r Request, o PullOptions) (*Signature, error) {
	p, err := c.fetchChart(ctx, ref, r, r.Verify)
	if err != nil {
		return nil, err
	}
	var signature *Signature
	if r.Verify {
		if signature, err = p.Verify(r.Keyring); err != nil {
			return nil, err
		}
	} else if o.Provenance {
		if signed, err := c.fetchChart(ctx, ref, r, true); err != nil {
			c.warn(fmt.Sprintf("Verification not found for %s: %v", ref, err))
		} else {
			p.Provenance = signed.Provenance
		}
	}
	if o.Untar {
		return signature, p.unpack(o)
	}
	path := filepath.Join(o.Destination, p.Name)
	if len(p.Provenance) > 0 {
		if err := writeFile(path+".prov", p.Provenance, 0o644); err != nil {
			return nil, fmt.Errorf("saving the provenance: %w", err)
		}
	}
	if err := writeFile(path, p.Data, 0o644); err != nil {
		return nil, fmt.Errorf("saving the chart: %w", err)
	}
	return signature, nil
}

// unpack puts the chart's folder into the folder of the options, in which
// there must be none of its name.
func (a Archive) unpack(o PullOptions) error {
	into := o.UntarDir
	if !filepath.IsAbs(into) {
		into = filepath.Join(o.Destination, into)
	}
	if o.Check != nil {
		if err := o.Check(a.Name, a.Data); err != nil {
			return err
		}
	}
	loaded, err := loader.LoadArchive(bytes.NewReader(a.Data))
	if err != nil {
		return diag.Problem{Summary: fmt.Sprintf("%s is not a chart that can be unpacked", a.Name), Detail: err.Error()}
	}
	folder := filepath.Join(into, loaded.Name())
	if _, err := os.Lstat(folder); err == nil {
		return diag.Problem{Summary: fmt.Sprintf("failed to untar: a file or directory with the name %s already exists", folder)}
	}
	if err := util.Expand(into, bytes.NewReader(a.Data)); err != nil {
		return diag.Problem{Summary: fmt.Sprintf("%s cannot be unpacked", a.Name), Detail: err.Error()}
	}
	return nil
}
