package chart

import (
	"context"
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"
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

// sourceAnnotation carries a document's template through the PostRender, by
// the name that Helm gives it: post-renderers may know it.
const sourceAnnotation = "postrenderer.helm.sh/postrender-filename"

// postRendered are the documents of the files after opts.PostRender, if there
// is one. Their lines then count in what it returned for their template.
func postRendered(ctx context.Context, files map[string]string, opts RenderOptions) ([]Document, error) {
	docs := splitAll(files)
	if opts.PostRender == nil {
		return docs, readHeads(docs)
	}
	var streams []stream
	switch opts.PostRenderStrategy {
	case PostRenderCombined, "":
		streams = []stream{{docs: docs, send: true}}
	case PostRenderSeparate, PostRenderNoHooks:
		if err := readHeads(docs); err != nil {
			return nil, err
		}
		streams = separate(docs, opts.PostRenderStrategy)
	default:
		return nil, diag.Problem{Summary: fmt.Sprintf("unknown post-render strategy %q", opts.PostRenderStrategy), Detail: "it is combined, separate or nohooks"}
	}
	changed := map[string]string{}
	for _, s := range streams {
		if err := s.run(ctx, opts.PostRender, changed); err != nil {
			return nil, err
		}
	}
	docs = splitAll(changed)
	return docs, readHeads(docs)
}

// stream is what goes through a PostRender at once.
type stream struct {
	// name tells the documents of streams apart that carry no source.
	name string
	docs []Document
	send bool
}

// separate makes a stream of hooks and one of ordinary documents. Hooks with
// an unknown event, which Helm would have dropped by now, stay as they are.
func separate(docs []Document, strategy PostRenderStrategy) []stream {
	hooks, ordinary := sortOut(docs)
	var unknown []Document
	for _, d := range docs {
		if names, hook := d.events(); hook && !allKnown(names) {
			unknown = append(unknown, d)
		}
	}
	return []stream{
		{name: "hooks", docs: regroup(hooks), send: strategy == PostRenderSeparate},
		{name: "unknown", docs: regroup(unknown)},
		{name: "manifests", docs: regroup(ordinary), send: true},
	}
}

// run passes the stream through the PostRender, if it is to be sent, and adds
// what came of it to files, by template.
func (s stream) run(ctx context.Context, post PostRender, files map[string]string) error {
	own := byTemplate(s.docs)
	if s.send && len(s.docs) > 0 {
		merged, err := merge(s.docs)
		if err != nil {
			return err
		}
		answer, err := post(ctx, merged)
		if err != nil {
			return fmt.Errorf("running the post-renderer: %w", err)
		}
		if own, err = unmerge(answer, s.name); err != nil {
			return err
		}
	}
	for source, text := range own {
		files[source] = join(files[source], text)
	}
	return nil
}

// regroup brings sorted documents back together by template, as Helm does
// before it sends them.
func regroup(docs []Document) []Document { return splitAll(byTemplate(docs)) }

func byTemplate(docs []Document) map[string]string {
	files := map[string]string{}
	for _, d := range docs {
		files[d.Source] = join(files[d.Source], d.Text)
	}
	return files
}

func join(before, text string) string {
	if before == "" {
		return text
	}
	return before + "\n---\n" + text
}

// merge writes all documents as one stream, each annotated with its template.
func merge(docs []Document) (string, error) {
	var nodes []*yaml.RNode
	for _, d := range docs {
		parsed, err := kio.ParseAll(d.Text)
		if err != nil {
			return "", documentProblem(d, err)
		}
		for _, node := range parsed {
			if err := node.PipeE(yaml.SetAnnotation(sourceAnnotation, d.Source)); err != nil {
				return "", documentProblem(d, err)
			}
		}
		nodes = append(nodes, parsed...)
	}
	merged, err := kio.StringAll(nodes)
	if err != nil {
		return "", fmt.Errorf("writing documents for the post-renderer: %w", err)
	}
	return merged, nil
}

// unmerge finds the template of each document that a PostRender returned.
// Those that it made itself are given the names that Helm gives them.
func unmerge(answer, streamName string) (map[string]string, error) {
	nodes, err := kio.ParseAll(answer)
	if err != nil {
		return nil, diag.Problem{Summary: "what the post-renderer returned is not valid YAML", Detail: err.Error()}
	}
	bySource := map[string][]*yaml.RNode{}
	for i, node := range nodes {
		meta, err := node.GetMeta()
		if err != nil {
			return nil, diag.Problem{Summary: "what the post-renderer returned is not a Kubernetes object", Detail: err.Error()}
		}
		source := meta.Annotations[sourceAnnotation]
		if source == "" {
			source = generatedName(streamName, i)
		}
		if err := node.PipeE(yaml.ClearAnnotation(sourceAnnotation)); err != nil {
			return nil, fmt.Errorf("taking the source annotation off: %w", err)
		}
		bySource[source] = append(bySource[source], node)
	}
	files := make(map[string]string, len(bySource))
	for source, nodes := range bySource {
		if files[source], err = kio.StringAll(nodes); err != nil {
			return nil, fmt.Errorf("writing what the post-renderer returned: %w", err)
		}
	}
	return files, nil
}

func generatedName(streamName string, index int) string {
	parts := []string{"generated-by-postrender"}
	if streamName != "" {
		parts = append(parts, streamName)
	}
	return fmt.Sprintf("%s-%d.yaml", strings.Join(parts, "-"), index)
}
