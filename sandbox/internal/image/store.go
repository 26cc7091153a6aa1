package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"golang.org/x/sys/unix"
)

const (
	// refAnnotation holds the full name with tag that an image is served under.
	refAnnotation = "org.opencontainers.image.ref.name"
	// keyAnnotation holds the key of the recipe that the image was made from.
	keyAnnotation = "dev.pintle.sandbox.recipe"
)

// Store is an OCI image layout on disk. Several processes may use one at once:
// writers take turns, and readers always find a complete index.
type Store struct {
	dir string
}

// NewStore uses the folder dir, which need not exist.
func NewStore(dir string) *Store { return &Store{dir: dir} }

// Missing returns the recipes whose images are not in the store as they should be.
func (s *Store) Missing(recipes []Recipe) ([]Recipe, error) {
	index, err := s.index()
	if err != nil {
		return nil, err
	}
	var missing []Recipe
	for _, recipe := range recipes {
		key, err := recipe.key()
		if err != nil {
			return nil, err
		}
		for _, ref := range recipe.References() {
			descriptor := find(index, ref)
			if descriptor == nil || descriptor.Annotations[keyAnnotation] != key {
				missing = append(missing, recipe)
				break
			}
		}
	}
	return missing, nil
}

// Build makes the images of recipes and puts them into the store, in place of
// those that had their names. What no image needs any more is deleted. progress
// is called before each.
func (s *Store) Build(ctx context.Context, recipes []Recipe, progress func(Recipe)) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	work, err := os.MkdirTemp(s.dir, "work-")
	if err != nil {
		return fmt.Errorf("building images: %w", err)
	}
	defer os.RemoveAll(work)
	builder, err := newBuilder(work)
	if err != nil {
		return err
	}
	for _, recipe := range recipes {
		progress(recipe)
		if err := s.buildOne(ctx, builder, recipe); err != nil {
			return err
		}
	}
	return s.collect()
}

func (s *Store) buildOne(ctx context.Context, builder *builder, recipe Recipe) error {
	key, err := recipe.key()
	if err != nil {
		return err
	}
	made, err := builder.build(ctx, recipe)
	if err != nil {
		return err
	}
	for _, tag := range recipe.Tags {
		tagged, err := configure(made, recipe, tag)
		if err != nil {
			return err
		}
		ref := recipe.Repository + ":" + tag
		if err := s.put(tagged, map[string]string{refAnnotation: ref, keyAnnotation: key}); err != nil {
			return fmt.Errorf("storing image %s: %w", ref, err)
		}
	}
	return nil
}

// put stores an image under the name in its annotations. The caller holds the lock.
func (s *Store) put(made v1.Image, annotations map[string]string) error {
	path, err := s.path()
	if err != nil {
		return err
	}
	if err := path.WriteImage(made); err != nil {
		return err
	}
	digest, err := made.Digest()
	if err != nil {
		return err
	}
	size, err := made.Size()
	if err != nil {
		return err
	}
	mediaType, err := made.MediaType()
	if err != nil {
		return err
	}
	index, err := s.index()
	if err != nil {
		return err
	}
	index.Manifests = slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool {
		return d.Annotations[refAnnotation] == annotations[refAnnotation]
	})
	index.Manifests = append(index.Manifests, v1.Descriptor{MediaType: mediaType, Size: size, Digest: digest, Annotations: annotations})
	return s.writeIndex(index)
}

// writeIndex replaces the index in one step: readers do not lock.
func (s *Store) writeIndex(index *v1.IndexManifest) error {
	raw, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	next := s.indexPath() + ".next"
	if err := os.WriteFile(next, raw, 0o644); err != nil {
		return err
	}
	return os.Rename(next, s.indexPath())
}

// path opens the layout, making an empty one if there is none.
func (s *Store) path() (layout.Path, error) {
	path, err := layout.FromPath(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		path, err = layout.Write(s.dir, empty.Index)
	}
	if err != nil {
		return "", fmt.Errorf("opening the image store %s: %w", s.dir, err)
	}
	return path, nil
}

// collect deletes what no image in the index refers to.
func (s *Store) collect() error {
	path, err := s.path()
	if err != nil {
		return err
	}
	garbage, err := path.GarbageCollect()
	if err != nil {
		return fmt.Errorf("tidying the image store: %w", err)
	}
	for _, digest := range garbage {
		if err := path.RemoveBlob(digest); err != nil {
			return fmt.Errorf("tidying the image store: %w", err)
		}
	}
	return nil
}

// References lists the full names with tags of all images, sorted.
func (s *Store) References() ([]string, error) {
	index, err := s.index()
	if err != nil {
		return nil, err
	}
	var refs []string
	for _, descriptor := range index.Manifests {
		refs = append(refs, descriptor.Annotations[refAnnotation])
	}
	slices.Sort(refs)
	return refs, nil
}

// Find returns the manifest of the image called ref, and false when there is none.
func (s *Store) Find(ref string) (v1.Descriptor, bool, error) {
	index, err := s.index()
	if err != nil {
		return v1.Descriptor{}, false, err
	}
	if descriptor := find(index, ref); descriptor != nil {
		return *descriptor, true, nil
	}
	return v1.Descriptor{}, false, nil
}

// BlobPath returns where the content with this digest lies, which is not checked.
func (s *Store) BlobPath(digest v1.Hash) string {
	return filepath.Join(s.dir, "blobs", digest.Algorithm, digest.Hex)
}

func (s *Store) index() (*v1.IndexManifest, error) {
	raw, err := os.ReadFile(s.indexPath())
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = empty.Index.RawManifest()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the image store: %w", err)
	}
	index, err := v1.ParseIndexManifest(strings.NewReader(string(raw)))
	if err != nil {
		return nil, fmt.Errorf("reading the image store %s: %w", s.dir, err)
	}
	return index, nil
}

func (s *Store) indexPath() string { return filepath.Join(s.dir, "index.json") }

func find(index *v1.IndexManifest, ref string) *v1.Descriptor {
	for i := range index.Manifests {
		if index.Manifests[i].Annotations[refAnnotation] == ref {
			return &index.Manifests[i]
		}
	}
	return nil
}

// lock keeps other writers out until the returned function is called. The kernel
// lifts it, too, when this process ends.
func (s *Store) lock() (func(), error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("locking the image store: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(s.dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the image store: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("locking the image store: %w", err)
	}
	return func() { file.Close() }, nil
}
