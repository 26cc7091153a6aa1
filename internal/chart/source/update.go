package source

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// updatesAtOnce is how many indexes are fetched side by side.
const updatesAtOnce = 8

// UpdateAll fetches the indexes of repositories side by side. tell is called
// for each, by several goroutines. The URLs of those that failed are returned.
func (c *Client) UpdateAll(ctx context.Context, all []Repository, tell func(Repository, error)) (failed []string) {
	var g errgroup.Group
	g.SetLimit(updatesAtOnce)
	errs := make([]error, len(all))
	for i, r := range all {
		g.Go(func() error {
			errs[i] = c.UpdateRepository(ctx, r)
			tell(r, errs[i])
			return nil
		})
	}
	_ = g.Wait() // each function reports through its own slot
	for i, err := range errs {
		if err != nil {
			failed = append(failed, Mask(all[i].URL))
		}
	}
	return failed
}
