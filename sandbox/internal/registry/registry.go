// Package registry serves image stores over HTTP in the part of the OCI
// distribution protocol that pulling needs. It is read-only: images come into a
// store by way of package image.
//
// The first part of a repository's path is the registry that the image is named
// after, so that images of several registries do not get in each other's way:
// docker.io/library/busybox is served below /v2/docker.io/library/busybox/.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pintle-dev/pintle/sandbox/internal/image"
)

// Handler serves the images of stores; of two images of one name, that of the
// earlier store.
type Handler struct {
	Stores []*image.Store
}

// ServeHTTP answers GET and HEAD for manifests and blobs.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "this registry is read-only")
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if path == r.URL.Path {
		refuse(w, http.StatusNotFound, "UNSUPPORTED", "no such address")
		return
	}
	if path == "" {
		w.WriteHeader(http.StatusOK)
		return
	}
	if repository, reference, ok := cutLast(path, "/manifests/"); ok {
		h.manifest(w, r, repository, reference)
		return
	}
	if _, digest, ok := cutLast(path, "/blobs/"); ok {
		h.blob(w, r, digest, "application/octet-stream", "BLOB_UNKNOWN")
		return
	}
	refuse(w, http.StatusNotFound, "UNSUPPORTED", "no such address")
}

// manifest serves a manifest by tag or by digest. Manifests are blobs, too: by
// digest only their media type has to be found.
func (h *Handler) manifest(w http.ResponseWriter, r *http.Request, repository, reference string) {
	if strings.Contains(reference, ":") {
		h.blob(w, r, reference, "", "MANIFEST_UNKNOWN")
		return
	}
	for _, store := range h.Stores {
		descriptor, ok, err := store.Find(repository + ":" + reference)
		if err != nil {
			refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
			return
		}
		if ok {
			h.blob(w, r, descriptor.Digest.String(), descriptor.MediaType, "MANIFEST_UNKNOWN")
			return
		}
	}
	refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "no image "+repository+":"+reference)
}

// blob serves content by digest. An empty media type means that the content is a
// manifest that says itself what it is.
func (h *Handler) blob(w http.ResponseWriter, r *http.Request, digest string, mediaType types.MediaType, unknown string) {
	hash, err := v1.NewHash(digest)
	if err != nil {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", err.Error())
		return
	}
	for _, store := range h.Stores {
		file, err := os.Open(store.BlobPath(hash))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
			return
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
			return
		}
		if mediaType == "" {
			if mediaType, err = manifestType(store.BlobPath(hash)); err != nil {
				refuse(w, http.StatusNotFound, unknown, err.Error())
				return
			}
		}
		w.Header().Set("Content-Type", string(mediaType))
		w.Header().Set("Docker-Content-Digest", hash.String())
		http.ServeContent(w, r, "", info.ModTime(), file)
		return
	}
	refuse(w, http.StatusNotFound, unknown, "no content "+digest)
}

// largestManifest bounds what is read into memory to find a media type.
const largestManifest = 4 << 20

func manifestType(path string) (types.MediaType, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() > largestManifest {
		return "", errors.New("not a manifest")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var manifest struct {
		MediaType types.MediaType `json:"mediaType"`
		Manifests []any           `json:"manifests"`
		Layers    []any           `json:"layers"`
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return "", fmt.Errorf("not a manifest: %w", err)
	}
	switch {
	case manifest.MediaType != "":
		return manifest.MediaType, nil
	case manifest.Manifests != nil:
		return types.OCIImageIndex, nil
	case manifest.Layers != nil:
		return types.OCIManifestSchema1, nil
	}
	return "", errors.New("not a manifest")
}

// refuse answers with an error in the form that the protocol asks for.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	type problem struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	// A client that went away misses the answer, and nobody else wants it.
	_ = json.NewEncoder(w).Encode(map[string][]problem{"errors": {{Code: code, Message: message}}})
}

func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return "", "", false
	}
	return text[:at], text[at+len(separator):], true
}
