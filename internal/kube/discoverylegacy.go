package kube

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/pintle-dev/pintle/internal/object"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// discoverGroups goes on where the API server knows only the older form of
// discovery: one document per group version.
func (c *Client) discoverGroups(ctx context.Context, path string, body []byte) (findings, error) {
	versions, err := groupVersions(path, body)
	if err != nil {
		return findings{}, err
	}
	parts := make([]findings, len(versions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, gv := range versions {
		group.Go(func() (err error) {
			parts[i], err = c.discoverGroup(ctx, gv)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return findings{}, err
	}
	var all findings
	for _, p := range parts {
		all.add(p)
	}
	return all, nil
}

// groupVersions lists them with each group's preferred version first.
func groupVersions(path string, body []byte) ([]schema.GroupVersion, error) {
	if path == "/api" {
		var core metav1.APIVersions
		if err := json.Unmarshal(body, &core); err != nil {
			return nil, err
		}
		var out []schema.GroupVersion
		for _, v := range core.Versions {
			out = append(out, schema.GroupVersion{Version: v})
		}
		return out, nil
	}
	var groups metav1.APIGroupList
	if err := json.Unmarshal(body, &groups); err != nil {
		return nil, err
	}
	var out []schema.GroupVersion
	for _, g := range groups.Groups {
		preferred := schema.GroupVersion{Group: g.Name, Version: g.PreferredVersion.Version}
		if preferred.Version != "" {
			out = append(out, preferred)
		}
		for _, v := range g.Versions {
			if v.Version != preferred.Version {
				out = append(out, schema.GroupVersion{Group: g.Name, Version: v.Version})
			}
		}
	}
	return out, nil
}

// discoverGroup reads one group version; one whose server does not answer is
// reported as stale, not as an error.
func (c *Client) discoverGroup(ctx context.Context, gv schema.GroupVersion) (findings, error) {
	r := request{verb: "get", path: groupPath(gv), ref: object.Ref{Kind: "discovery", Name: gv.String()}}
	resp, err := c.attempt(ctx, r)
	if err != nil {
		if gv.Group != "" && (apierrors.IsServiceUnavailable(err) || apierrors.IsNotFound(err) || apierrors.IsInternalError(err)) {
			return findings{stale: []schema.GroupVersion{gv}}, nil
		}
		if resp, err = c.do(ctx, r); err != nil {
			return findings{}, err
		}
	}
	var list metav1.APIResourceList
	if err := json.Unmarshal(resp.body, &list); err != nil {
		return findings{}, err
	}
	var f findings
	for _, r := range list.APIResources {
		if strings.Contains(r.Name, "/") {
			continue
		}
		f.resources = append(f.resources, object.Resource{
			GVK: gv.WithKind(r.Kind), Name: r.Name, Namespaced: r.Namespaced, Verbs: r.Verbs,
		})
	}
	return f, nil
}
