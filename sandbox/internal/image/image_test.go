package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// scratch is a recipe that needs neither Debian packages nor the network.
func scratch(t *testing.T, content string) Recipe {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return Recipe{
		Repository: "docker.io/demo/tool", Tags: []string{"1", "latest"}, TagEnv: "VERSION", Bare: true,
		Files: []File{
			{Path: "/bin/tool", Mode: 0o755, Source: program},
			{Path: "/etc/tool.conf", Mode: 0o644, Content: "x"},
			{Path: "/var/data", Dir: true, Mode: 0o1777, UID: 7},
			{Path: "/bin/alias", Link: "tool"},
		},
		Entrypoint: []string{"/bin/tool"},
	}
}

func build(t *testing.T, store *Store, recipes ...Recipe) {
	t.Helper()
	if err := store.Build(t.Context(), recipes, func(Recipe) {}); err != nil {
		t.Fatal(err)
	}
}

func missing(t *testing.T, store *Store, recipe Recipe) bool {
	t.Helper()
	left, err := store.Missing([]Recipe{recipe})
	if err != nil {
		t.Fatal(err)
	}
	return len(left) > 0
}

func imageOf(t *testing.T, store *Store, ref string) v1.Image {
	t.Helper()
	descriptor, ok, err := store.Find(ref)
	if err != nil || !ok {
		t.Fatalf("no image %s: %v", ref, err)
	}
	path, err := store.path()
	if err != nil {
		t.Fatal(err)
	}
	made, err := path.Image(descriptor.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestBuild(t *testing.T) {
	store := NewStore(t.TempDir())
	build(t, store, scratch(t, "binary"))
	made := imageOf(t, store, "docker.io/demo/tool:1")
	config, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(config.Config.Env, "VERSION=1") {
		t.Errorf("the image does not know its tag: %v", config.Config.Env)
	}
	layers, err := made.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("layers: %v %v", layers, err)
	}
	raw, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	entries := map[string]tar.Header{}
	reader := tar.NewReader(raw)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the layer is no plain tar file: %v", err)
		}
		entries[header.Name] = *header
	}
	if entry := entries["usr/bin/tool"]; entry.Mode != 0o755 || entry.Size != int64(len("binary")) {
		t.Errorf("the program is %+v", entry)
	}
	if entry := entries["var/data"]; entry.Typeflag != tar.TypeDir || entry.Mode != 0o1777 || entry.Uid != 7 {
		t.Errorf("the folder is %+v", entry)
	}
	if entry := entries["usr/bin/alias"]; entry.Typeflag != tar.TypeSymlink || entry.Linkname != "tool" {
		t.Errorf("the link is %+v", entry)
	}
}

func TestBuiltAgainOnlyWhenSomethingChanged(t *testing.T) {
	store := NewStore(t.TempDir())
	recipe := scratch(t, "one")
	if !missing(t, store, recipe) {
		t.Fatal("an empty store misses nothing")
	}
	build(t, store, recipe)
	if missing(t, store, recipe) {
		t.Error("what was just built is missing")
	}
	before, _, _ := store.Find("docker.io/demo/tool:1")
	if err := os.WriteFile(recipe.Files[0].Source, []byte("two"), 0o755); err != nil {
		t.Fatal(err)
	}
	if !missing(t, store, recipe) {
		t.Error("a changed program makes no new image")
	}
	build(t, store, recipe)
	after, _, _ := store.Find("docker.io/demo/tool:1")
	if before.Digest == after.Digest {
		t.Error("the new image is the old one")
	}
	if _, err := os.Stat(store.BlobPath(before.Digest)); err == nil {
		t.Error("the old image is still there")
	}
	refs, err := store.References()
	if want := []string{"docker.io/demo/tool:1", "docker.io/demo/tool:latest"}; err != nil || !slices.Equal(refs, want) {
		t.Errorf("images are %v, %v; want %v", refs, err, want)
	}
}

func TestTheSameProgramElsewhereIsTheSameImage(t *testing.T) {
	store := NewStore(t.TempDir())
	build(t, store, scratch(t, "one"))
	if missing(t, store, scratch(t, "one")) {
		t.Error("a copy of the program makes a new image")
	}
}

func TestLoadDockerArchive(t *testing.T) {
	from := NewStore(t.TempDir())
	build(t, from, scratch(t, "binary"))
	archive := filepath.Join(t.TempDir(), "image.tar")
	tag, err := name.NewTag("registry.example/team/tool:2")
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(archive, tag, imageOf(t, from, "docker.io/demo/tool:1")); err != nil {
		t.Fatal(err)
	}
	to := NewStore(t.TempDir())
	refs, err := to.Load(archive)
	if want := []string{"registry.example/team/tool:2"}; err != nil || !slices.Equal(refs, want) {
		t.Fatalf("loaded %v, %v; want %v", refs, err, want)
	}
	if _, ok, _ := to.Find(refs[0]); !ok {
		t.Error("the image is not in the store")
	}
}

func TestLoadLayoutArchive(t *testing.T) {
	dir := t.TempDir()
	build(t, NewStore(dir), scratch(t, "binary"))
	archive := filepath.Join(t.TempDir(), "layout.tar")
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	if err := writer.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	refs, err := NewStore(t.TempDir()).Load(archive)
	if want := []string{"docker.io/demo/tool:1", "docker.io/demo/tool:latest"}; err != nil || !slices.Equal(refs, want) {
		t.Errorf("loaded %v, %v; want %v", refs, err, want)
	}
}

func TestLoadSomethingElse(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "notes.tar")
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	if err := writer.WriteHeader(&tar.Header{Name: "notes.txt", Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := NewStore(t.TempDir()).Load(archive); err == nil {
		t.Error("an archive without images loads")
	}
}

func TestFullName(t *testing.T) {
	tests := map[string]string{
		"busybox":                 "docker.io/library/busybox:latest",
		"busybox:1.36":            "docker.io/library/busybox:1.36",
		"bitnami/kubectl":         "docker.io/bitnami/kubectl:latest",
		"quay.io/team/tool:2":     "quay.io/team/tool:2",
		"localhost:5000/tool:dev": "localhost:5000/tool:dev",
	}
	for text, want := range tests {
		if got, err := FullName(text); err != nil || got != want {
			t.Errorf("FullName(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestParseSimulation(t *testing.T) {
	out := "Reading package lists...\nInst libc6 (2.36 Debian:12 [amd64]) []\nInst busybox:amd64 (1:1.35 Debian:12 [amd64])\nConf libc6 (2.36)\n"
	if got, want := parseSimulation(out), []string{"libc6", "busybox"}; !slices.Equal(got, want) {
		t.Errorf("packages are %v, want %v", got, want)
	}
}

func TestIntoUsr(t *testing.T) {
	tests := map[string]string{
		"./bin/sh": "usr/bin/sh", "/lib64/ld.so": "usr/lib64/ld.so", "usr/bin/x": "usr/bin/x", "./": ".", "../../etc/passwd": "etc/passwd", "libx/y": "libx/y",
	}
	for in, want := range tests {
		if got := intoUsr(in); got != want {
			t.Errorf("intoUsr(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCatalogueHasThePromisedImages(t *testing.T) {
	var refs []string
	for _, recipe := range Catalogue(Programs{Dir: t.TempDir()}) {
		refs = append(refs, recipe.References()...)
	}
	for _, want := range []string{
		"docker.io/library/busybox:1.36", "docker.io/library/busybox:latest", "docker.io/library/postgres:15",
		"docker.io/library/nginx:1.16.0", "docker.io/bitnami/kubectl:1.30", Pause,
	} {
		if !slices.Contains(refs, want) {
			t.Errorf("no image %s", want)
		}
	}
	if slices.Contains(refs, "docker.io/pintle-dev/storefront:1.0.0") {
		t.Error("a program that was not built has an image")
	}
}
