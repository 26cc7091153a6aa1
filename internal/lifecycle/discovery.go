package lifecycle

import (
	"context"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/version"
)

// freshFor is how old a discovery may be when the operation begins to use it.
const freshFor = 2 * time.Second

// discovery is what a cluster serves, being read beside other things.
type discovery struct {
	service *Service
	cancel  context.CancelFunc
	// done is closed when the fields below are set.
	done    chan struct{}
	at      time.Time
	catalog *object.Catalog
	version *version.Info
	err     error
}

// discover begins to read. The caller must end it.
func (s *Service) discover(ctx context.Context) *discovery {
	ctx, cancel := context.WithCancel(ctx)
	d := &discovery{service: s, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		d.catalog, d.version, d.err = s.Cluster.Discover(ctx)
		d.at = s.Now()
	}()
	return d
}

// wait gives what was read. It reads again what has grown old meanwhile, since
// another run may have been waited for: a kind that came since would be rendered as
// if it were not served, and its objects pruned.
func (d *discovery) wait(ctx context.Context) (*object.Catalog, *version.Info, error) {
	select {
	case <-d.done:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	if d.service.Now().Sub(d.at) > freshFor {
		return d.service.Cluster.Discover(ctx)
	}
	return d.catalog, d.version, d.err
}

// end returns when nothing is being read any more.
func (d *discovery) end() {
	d.cancel()
	<-d.done
}
