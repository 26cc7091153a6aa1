package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Load puts the images of a tar file into the store and returns their full names
// with tags. It reads what `docker save` writes, and archives of an OCI image
// layout whose index names its images.
func (s *Store) Load(archive string) ([]string, error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("loading %s: %w", archive, err)
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	oci, err := holds(archive, "oci-layout")
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", archive, err)
	}
	docker, err := holds(archive, "manifest.json")
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", archive, err)
	}
	var refs []string
	switch {
	case docker:
		refs, err = s.loadDocker(archive)
	case oci:
		refs, err = s.loadLayout(archive)
	default:
		err = errors.New("neither a docker archive nor an OCI image layout")
	}
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", archive, err)
	}
	if len(refs) == 0 {
		return nil, fmt.Errorf("loading %s: no image in it has a name", archive)
	}
	return refs, nil
}

func (s *Store) loadDocker(archive string) ([]string, error) {
	opener := func() (io.ReadCloser, error) { return os.Open(archive) }
	manifest, err := tarball.LoadManifest(opener)
	if err != nil {
		return nil, err
	}
	var refs []string
	for _, entry := range manifest {
		for _, text := range entry.RepoTags {
			tag, err := name.NewTag(text)
			if err != nil {
				return nil, err
			}
			made, err := tarball.ImageFromPath(archive, &tag)
			if err != nil {
				return nil, err
			}
			ref, err := FullName(text)
			if err != nil {
				return nil, err
			}
			if err := s.put(made, map[string]string{refAnnotation: ref}); err != nil {
				return nil, err
			}
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

func (s *Store) loadLayout(archive string) ([]string, error) {
	work, err := os.MkdirTemp(s.dir, "load-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if err := unpack(archive, work); err != nil {
		return nil, err
	}
	path, err := layout.FromPath(work)
	if err != nil {
		return nil, err
	}
	index, err := path.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var refs []string
	for _, descriptor := range manifest.Manifests {
		ref, ok := layoutName(descriptor)
		if !ok {
			continue
		}
		made, err := path.Image(descriptor.Digest)
		if err != nil {
			return nil, err
		}
		if err := s.put(made, map[string]string{refAnnotation: ref}); err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// layoutName returns the name of an image in a layout. containerd writes the
// whole name in an annotation of its own, and only the tag in the common one.
func layoutName(descriptor v1.Descriptor) (string, bool) {
	for _, key := range []string{"io.containerd.image.name", refAnnotation} {
		text := descriptor.Annotations[key]
		if !strings.ContainsAny(text, "/:") {
			continue
		}
		if ref, err := FullName(text); err == nil {
			return ref, true
		}
	}
	return "", false
}

// FullName completes an image name as container runtimes do: busybox becomes
// docker.io/library/busybox:latest.
func FullName(text string) (string, error) {
	tag, err := name.NewTag(text)
	if err != nil {
		return "", fmt.Errorf("image name %q: %w", text, err)
	}
	registry := tag.RegistryStr()
	if registry == name.DefaultRegistry {
		registry = "docker.io"
	}
	return registry + "/" + tag.RepositoryStr() + ":" + tag.TagStr(), nil
}

func holds(archive, entry string) (bool, error) {
	file, err := os.Open(archive)
	if err != nil {
		return false, err
	}
	defer file.Close()
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if filepath.Clean(header.Name) == entry {
			return true, nil
		}
	}
}

// unpack extracts the regular files of an archive below dir, and nothing outside.
func unpack(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		entry := filepath.Clean(header.Name)
		if err := root.MkdirAll(filepath.Dir(entry), 0o755); err != nil {
			return err
		}
		out, err := root.Create(entry)
		if err != nil {
			return err
		}
		_, copied := io.Copy(out, reader)
		if err := errors.Join(copied, out.Close()); err != nil {
			return err
		}
	}
}
