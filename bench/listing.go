package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// shelf is a namespace full of release records.
type shelf struct {
	namespace string
	// ours tells records with the hints that Pintle adds; Helm's have none.
	ours                      bool
	releases, revisions, size int
}

var (
	shelfOfHelm   = shelf{"bench-list-helm", false, 200, 10, 50 << 10}
	shelfOfPintle = shelf{"bench-list-pintle", true, 200, 10, 50 << 10}
)

// list measures `list` of 200 releases of 10 revisions of 50 kB each.
func (b *bench) list(ctx context.Context) ([]row, error) {
	var rows []row
	for _, s := range []shelf{shelfOfHelm, shelfOfPintle} {
		writer := "helm"
		if s.ours {
			writer = "pintle"
		}
		r, err := b.listing(ctx, "list, records by "+writer, s, b.tools, b.rounds)
		rows = append(rows, measured([]*row{r})...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// listing measures `list` of one shelf.
func (b *bench) listing(ctx context.Context, name string, s shelf, tools []tool, rounds int) (*row, error) {
	r := newRow(name, fmt.Sprintf("%d releases of %d revisions of %d bytes", s.releases, s.revisions, s.size))
	if err := b.fill(ctx, s); err != nil {
		return r, err
	}
	args := []string{"list", "-n", s.namespace, "--max", "2000"}
	err := b.turns(ctx, tools, rounds, func(at turn) error {
		if !at.counted {
			n, err := b.counted(ctx, at.tool, args...)
			r.Requests[at.tool.name] = n
			return err
		}
		m, err := b.timed(ctx, at.tool, args...)
		r.add(at, m)
		return err
	})
	return r, err
}

// history measures what is asked about a single release.
func (b *bench) history(ctx context.Context) ([]row, error) {
	if err := b.fill(ctx, shelfOfHelm); err != nil {
		return nil, err
	}
	var rows []*row
	for _, command := range []string{"history", "status"} {
		r := newRow(command, "of a release of 10 revisions of 50 kB, by Helm, beside 199 others")
		rows = append(rows, r)
		args := []string{command, "rel-0007", "-n", shelfOfHelm.namespace}
		if err := b.turns(ctx, b.tools, b.rounds, func(at turn) error {
			if !at.counted {
				n, err := b.counted(ctx, at.tool, args...)
				r.Requests[at.tool.name] = n
				return err
			}
			s, err := b.timed(ctx, at.tool, args...)
			r.add(at, s)
			return err
		}); err != nil {
			return measured(rows), err
		}
	}
	return measured(rows), nil
}

// releases measures `list` against the number of releases.
func (b *bench) releases(ctx context.Context) ([]row, error) {
	var rows []row
	for _, n := range []int{10, 100, 1000} {
		s := shelf{fmt.Sprintf("bench-list-%d", n), true, n, 10, 2 << 10}
		r, err := b.listing(ctx, fmt.Sprintf("list of %d releases", n), s, b.peers(1), 3)
		r.Size, r.Series = n, "list"
		rows = append(rows, measured([]*row{r})...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// fill writes a shelf's records side by side, unless they are there.
func (b *bench) fill(ctx context.Context, s shelf) error {
	return b.seed(ctx, s.namespace, func(ctx context.Context, group *errgroup.Group) error {
		client, err := kube.Connect(kube.Options{Kubeconfig: b.kubeconfig, Namespace: s.namespace})
		if err != nil {
			return err
		}
		records := store.NewSecrets(plain{client.Objects(), s.ours}, s.namespace, time.Now)
		content := noise(s.size * 9 / 16) // base64 of base64 of what gzip makes of it
		for i := range s.releases {
			group.Go(func() error {
				for v := 1; v <= s.revisions; v++ {
					r := record(fmt.Sprintf("rel-%04d", i), s.namespace, v, v == s.revisions, content)
					if err := records.Create(ctx, r); err != nil && !errors.Is(err, release.ErrExists) {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
}

// plain takes the hints off records unless they are to stay.
type plain struct {
	*kube.Objects
	hints bool
}

// Create stores a record as Helm would.
func (p plain) Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if !p.hints {
		obj.SetAnnotations(nil)
	}
	return p.Objects.Create(ctx, gvr, obj)
}

func record(name, ns string, revision int, last bool, content string) *release.Release {
	status := release.Superseded
	if last {
		status = release.Deployed
	}
	now := time.Now()
	return &release.Release{
		Name: name, Namespace: ns, Revision: revision, ApplyMethod: release.ServerSide,
		Chart:    json.RawMessage(`{"metadata":{"name":"bench","version":"1.0.0","appVersion":"1"},"values":{}}`),
		Manifest: "---\n# Source: bench/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {noise: " + content + "}\n",
		Info:     release.Info{FirstDeployed: now, LastDeployed: now, Description: "Upgrade complete", Status: status},
	}
}
