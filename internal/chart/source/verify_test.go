package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/chart/packing"
	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/chart/source/sourcetest"
)

// signed makes a folder with a signed chart and its index, and returns the
// keyring to check it with.
func signed(t *testing.T) (dir, keyring string) {
	t.Helper()
	dir = t.TempDir()
	secret, public := sourcetest.Keys(t, t.TempDir(), "Alice", "")
	folder := filepath.Join(t.TempDir(), "web")
	put(t, filepath.Join(folder, "Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n", 0o600)
	if _, err := packing.Pack(folder, packing.Options{Destination: dir, Sign: &packing.Signing{Key: "Alice", Keyring: secret}}); err != nil {
		t.Fatal(err)
	}
	if err := source.IndexFolder(dir, source.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir, public
}

func TestVerify(t *testing.T) {
	dir, keyring := signed(t)
	_, stranger := sourcetest.Keys(t, t.TempDir(), "Mallory", "")
	http := sourcetest.Repository(t, dir, sourcetest.Options{User: "me", Password: "s3cret"})
	registry := sourcetest.Registry(t, sourcetest.Options{})
	archive := filepath.Join(dir, "web-1.0.0.tgz")
	if err := home(t).Push(t.Context(), archive, registry.OCI("charts"), source.Access{PlainHTTP: true}); err != nil {
		t.Fatal(err)
	}
	bare := sourcetest.Chart(t, t.TempDir(), "web", "1.1.0", nil)
	if err := home(t).Push(t.Context(), bare, registry.OCI("charts"), source.Access{PlainHTTP: true}); err != nil {
		t.Fatal(err)
	}
	login := source.Access{Username: "me", Password: "s3cret"}
	for _, tt := range []struct {
		name, ref string
		request   source.Request
		words     []string
	}{
		{"file", archive, source.Request{Keyring: keyring}, nil},
		{"repository", "web", source.Request{RepoURL: http.URL, Access: login, Keyring: keyring}, nil},
		{"registry", registry.OCI("charts/web"), source.Request{Version: "1.0.0", Access: source.Access{PlainHTTP: true}, Keyring: keyring}, nil},
		{"stranger", archive, source.Request{Keyring: stranger}, []string{"the signature of web-1.0.0.tgz does not hold", stranger}},
		{"stranger in a repository", "web", source.Request{RepoURL: http.URL, Access: login, Keyring: stranger}, []string{"does not hold"}},
		{"no keyring", archive, source.Request{Keyring: "/nowhere.gpg"}, []string{"/nowhere.gpg", "--keyring"}},
		{"not signed", bare, source.Request{Keyring: keyring}, []string{"no signature"}},
		{"not signed in a registry", registry.OCI("charts/web"), source.Request{Version: "1.1.0", Access: source.Access{PlainHTTP: true}, Keyring: keyring}, []string{"no provenance"}},
		{"folder", dir, source.Request{Keyring: keyring}, []string{"unpacked charts cannot be verified"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.request.Verify = true
			found, err := home(t).Find(t.Context(), tt.ref, tt.request)
			if tt.words != nil {
				wantProblem(t, err, tt.words...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if text := found.Signature.String(); !strings.Contains(text, "Signed by: Alice (for tests) <test@example.com>\nUsing Key With Fingerprint: ") {
				t.Errorf("got %s", text)
			}
		})
	}
}

func TestTamperedChart(t *testing.T) {
	dir, keyring := signed(t)
	archive := filepath.Join(dir, "web-1.0.0.tgz")
	if err := os.Rename(sourcetest.Chart(t, t.TempDir(), "web", "1.0.0", nil), archive); err != nil {
		t.Fatal(err)
	}
	_, err := source.VerifyFile(archive, keyring)
	wantProblem(t, err, "does not hold", "sha256")
	// The index fits the new archive; the signature does not.
	if err := source.IndexFolder(dir, source.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	server := sourcetest.Repository(t, dir, sourcetest.Options{})
	into := t.TempDir()
	_, err = home(t).Pull(t.Context(), "web", source.Request{RepoURL: server.URL, Verify: true, Keyring: keyring}, source.PullOptions{Destination: into})
	wantProblem(t, err, "does not hold", "sha256")
	if files, _ := os.ReadDir(into); len(files) > 0 {
		t.Errorf("the chart was saved all the same: %v", files)
	}
}

func TestPull(t *testing.T) {
	dir, keyring := signed(t)
	server := sourcetest.Repository(t, dir, sourcetest.Options{})
	pull := func(o source.PullOptions, verify bool) error {
		_, err := home(t).Pull(t.Context(), "web", source.Request{RepoURL: server.URL, Verify: verify, Keyring: keyring}, o)
		return err
	}
	into := t.TempDir()
	if err := pull(source.PullOptions{Destination: into}, false); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(into); len(files) != 1 || files[0].Name() != "web-1.0.0.tgz" {
		t.Errorf("got %v", files)
	}
	if err := pull(source.PullOptions{Destination: into, Provenance: true}, false); err != nil {
		t.Fatal(err)
	}
	if content(t, filepath.Join(into, "web-1.0.0.tgz.prov")) != content(t, filepath.Join(dir, "web-1.0.0.tgz.prov")) {
		t.Error("the signature is not there")
	}
	if err := pull(source.PullOptions{Destination: into, Untar: true, UntarDir: "unpacked"}, true); err != nil {
		t.Fatal(err)
	}
	if content(t, filepath.Join(into, "unpacked", "web", "Chart.yaml")) == "" {
		t.Error("it is not unpacked")
	}
	wantProblem(t, pull(source.PullOptions{Destination: into, Untar: true, UntarDir: "unpacked"}, false), "already exists")
}
