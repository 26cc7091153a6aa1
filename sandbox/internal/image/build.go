package image

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// builder makes images in a work folder that is thrown away afterwards.
type builder struct {
	dir    string
	debian *debian
	// The common base is made when the first image wants it.
	baseLayer    v1.Layer
	basePaths    map[string]bool
	basePackages []string
}

// newBuilder works in dir.
func newBuilder(dir string) (*builder, error) {
	debs := filepath.Join(dir, "debs")
	if err := os.MkdirAll(debs, 0o755); err != nil {
		return nil, fmt.Errorf("preparing to build images: %w", err)
	}
	return &builder{dir: dir, debian: &debian{dir: debs}}, nil
}

// build makes the image of a recipe, without what differs from tag to tag.
func (b *builder) build(ctx context.Context, recipe Recipe) (v1.Image, error) {
	var layers []v1.Layer
	if !recipe.Bare {
		if err := b.buildBase(ctx); err != nil {
			return nil, err
		}
		layers = append(layers, b.baseLayer)
	}
	if len(recipe.Packages)+len(recipe.Files) > 0 {
		layer, err := b.buildOwn(ctx, recipe)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	made := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	made, err := mutate.AppendLayers(made, layers...)
	if err != nil {
		return nil, fmt.Errorf("building image %s: %w", recipe.Repository, err)
	}
	return made, nil
}

// buildOwn makes the layer of what the recipe itself names.
func (b *builder) buildOwn(ctx context.Context, recipe Recipe) (v1.Layer, error) {
	layer, err := b.buildLayer(recipe.Repository, func(l *layerWriter) error {
		archives := map[string]string{}
		if len(recipe.Packages) > 0 {
			var err error
			if archives, err = b.debian.download(ctx, recipe.Packages, b.basePackages); err != nil {
				return err
			}
		}
		return fill(ctx, l, archives, recipe.Files)
	})
	if err != nil {
		return nil, fmt.Errorf("building image %s: %w", recipe.Repository, err)
	}
	return layer, nil
}

// buildBase makes the layer that all but bare images start with.
func (b *builder) buildBase(ctx context.Context) error {
	if b.baseLayer != nil {
		return nil
	}
	archives, err := b.debian.download(ctx, base.Packages, nil)
	if err != nil {
		return fmt.Errorf("building the common base: %w", err)
	}
	var paths map[string]bool
	layer, err := b.buildLayer("base", func(l *layerWriter) error {
		paths = l.have
		if err := l.addRoot(); err != nil {
			return err
		}
		if err := fill(ctx, l, archives, base.Files); err != nil {
			return err
		}
		return l.addApplets(ctx, archives["busybox"])
	})
	if err != nil {
		return fmt.Errorf("building the common base: %w", err)
	}
	b.baseLayer, b.basePaths = layer, paths
	b.basePackages = slices.Sorted(maps.Keys(archives))
	return nil
}

// fill adds packages in the order of their names, then files.
func fill(ctx context.Context, l *layerWriter, archives map[string]string, files []File) error {
	for _, name := range slices.Sorted(maps.Keys(archives)) {
		if err := l.addPackage(ctx, archives[name]); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := l.addFile(file); err != nil {
			return err
		}
	}
	return nil
}

// buildLayer makes an uncompressed layer: it travels a few centimetres only.
func (b *builder) buildLayer(name string, fill func(*layerWriter) error) (v1.Layer, error) {
	file, err := os.CreateTemp(b.dir, "layer-*.tar")
	if err != nil {
		return nil, fmt.Errorf("building the layer of %s: %w", name, err)
	}
	defer file.Close()
	writer := newLayerWriter(file, b.basePaths)
	if err := fill(writer); err != nil {
		return nil, err
	}
	if err := writer.tar.Close(); err != nil {
		return nil, fmt.Errorf("building the layer of %s: %w", name, err)
	}
	return newPlainLayer(file.Name())
}

// plainLayer is a layer whose file is what travels: its two digests are one.
type plainLayer struct {
	path string
	hash v1.Hash
	size int64
}

func newPlainLayer(path string) (plainLayer, error) {
	file, err := os.Open(path)
	if err != nil {
		return plainLayer{}, fmt.Errorf("reading a layer: %w", err)
	}
	defer file.Close()
	hash, size, err := v1.SHA256(file)
	if err != nil {
		return plainLayer{}, fmt.Errorf("reading a layer: %w", err)
	}
	return plainLayer{path: path, hash: hash, size: size}, nil
}

// Digest is the hash of the tar file.
func (l plainLayer) Digest() (v1.Hash, error) { return l.hash, nil }

// DiffID is the hash of the tar file, too.
func (l plainLayer) DiffID() (v1.Hash, error) { return l.hash, nil }

// Compressed opens the tar file, which is not compressed.
func (l plainLayer) Compressed() (io.ReadCloser, error) { return os.Open(l.path) }

// Uncompressed opens the tar file.
func (l plainLayer) Uncompressed() (io.ReadCloser, error) { return os.Open(l.path) }

// Size is the tar file's size in bytes.
func (l plainLayer) Size() (int64, error) { return l.size, nil }

// MediaType says that the layer is not compressed.
func (l plainLayer) MediaType() (types.MediaType, error) { return types.OCIUncompressedLayer, nil }

// configure sets how containers of the image run, for one of its tags.
func configure(made v1.Image, recipe Recipe, tag string) (v1.Image, error) {
	file, err := made.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("configuring image %s: %w", recipe.Repository, err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{
		Entrypoint: recipe.Entrypoint, Cmd: recipe.Cmd, Env: slices.Clone(recipe.Env), User: recipe.User,
		WorkingDir: recipe.WorkingDir, StopSignal: recipe.StopSignal,
		ExposedPorts: set(recipe.Ports), Volumes: set(recipe.Volumes),
	}
	if recipe.TagEnv != "" {
		file.Config.Env = append(file.Config.Env, recipe.TagEnv+"="+tag)
	}
	made, err = mutate.ConfigFile(made, file)
	if err != nil {
		return nil, fmt.Errorf("configuring image %s: %w", recipe.Repository, err)
	}
	return made, nil
}

func set(names []string) map[string]struct{} {
	if len(names) == 0 {
		return nil
	}
	out := map[string]struct{}{}
	for _, name := range names {
		out[name] = struct{}{}
	}
	return out
}
