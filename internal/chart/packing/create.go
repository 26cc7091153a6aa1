package packing

import (
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/helmpath"
)

// creating guards a variable of Helm's package, which says where it warns.
var creating sync.Mutex

// Create makes the folder of a new chart: Helm's pattern, or the starter of
// that name in Helm's data folder, or at that path. Files that are overwritten
// are told on out.
func Create(path, starter string, out io.Writer) error {
	name, into := filepath.Base(path), filepath.Dir(path)
	var err error
	if starter == "" {
		creating.Lock()
		defer creating.Unlock()
		before := util.Stderr
		defer func() { util.Stderr = before }()
		util.Stderr = out
		_, err = util.Create(name, into)
	} else {
		if !filepath.IsAbs(starter) {
			starter = filepath.Join(helmpath.DataPath("starters"), starter)
		}
		err = util.CreateFrom(&helmchart.Metadata{
			Name: name, Description: "A Helm chart for Kubernetes", Type: "application",
			Version: "0.1.0", AppVersion: "0.1.0", APIVersion: helmchart.APIVersionV2,
		}, into, starter)
	}
	if err != nil {
		return diag.Problem{Summary: fmt.Sprintf("the chart %s cannot be created", path), Detail: err.Error()}
	}
	return nil
}
