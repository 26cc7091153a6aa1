package registry

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pintle-dev/pintle/sandbox/internal/image"
)

// storeWith returns a store that holds a random image called ref.
func storeWith(t *testing.T, ref string) (*image.Store, v1.Image) {
	t.Helper()
	made, err := random.Image(512, 2)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(ref)
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := tarball.WriteToFile(archive, tag, made); err != nil {
		t.Fatal(err)
	}
	store := image.NewStore(t.TempDir())
	if _, err := store.Load(archive); err != nil {
		t.Fatal(err)
	}
	return store, made
}

func TestPull(t *testing.T) {
	empty := image.NewStore(t.TempDir())
	store, _ := storeWith(t, "quay.io/team/tool:1")
	server := httptest.NewServer(&Handler{Stores: []*image.Store{empty, store}})
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(address.Host + "/quay.io/team/tool:1")
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(tag)
	if err != nil {
		t.Fatal(err)
	}
	// Validate fetches and hashes manifest, config and layers.
	if err := validate.Image(pulled); err != nil {
		t.Error(err)
	}
	digest, err := pulled.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Get(tag.Context().Digest(digest.String())); err != nil {
		t.Errorf("by digest: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	store, _ := storeWith(t, "quay.io/team/tool:1")
	handler := &Handler{Stores: []*image.Store{store}}
	tests := map[string]struct {
		method, path string
		status       int
		code         string
	}{
		"unknown tag":       {http.MethodGet, "/v2/quay.io/team/tool/manifests/2", http.StatusNotFound, "MANIFEST_UNKNOWN"},
		"unknown image":     {http.MethodHead, "/v2/docker.io/team/tool/manifests/1", http.StatusNotFound, ""},
		"unknown blob":      {http.MethodGet, "/v2/quay.io/team/tool/blobs/sha256:" + strings.Repeat("0", 64), http.StatusNotFound, "BLOB_UNKNOWN"},
		"no digest":         {http.MethodGet, "/v2/quay.io/team/tool/blobs/..%2f..%2fsecret", http.StatusBadRequest, "DIGEST_INVALID"},
		"not the protocol":  {http.MethodGet, "/favicon.ico", http.StatusNotFound, "UNSUPPORTED"},
		"upload":            {http.MethodPost, "/v2/quay.io/team/tool/blobs/uploads/", http.StatusMethodNotAllowed, "UNSUPPORTED"},
		"the protocol root": {http.MethodGet, "/v2/", http.StatusOK, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil))
			if recorder.Code != tt.status || !strings.Contains(recorder.Body.String(), tt.code) {
				t.Errorf("answer is %d %s, want %d with %s", recorder.Code, recorder.Body, tt.status, tt.code)
			}
		})
	}
}
