// Package image makes the sandbox's container images on the spot, without
// Docker: from Debian packages, from programs of this repository and from files
// that are part of this package. They carry the names under which public charts
// ask for the real ones.
//
// Images live in a Store, an OCI image layout on disk that is read by package
// registry. A Store remembers from what it made an image, and makes it again only
// when that has changed.
package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
)

// format is part of every key: raise it when the same recipe would give another
// image because this package changed.
const format = 5

// Recipe says what an image is made of. Its JSON form is part of the image's key.
type Recipe struct {
	// Repository is the full name without a tag: docker.io/library/busybox.
	Repository string
	// Tags are all served, each with TagEnv set to it if that is not empty.
	Tags   []string
	TagEnv string
	// Bare leaves out the common base of shell, busybox, wget and nc.
	Bare bool
	// Packages are Debian packages; what they depend on comes along.
	Packages []string
	// Files are added last, over what packages brought.
	Files []File

	Entrypoint []string
	Cmd        []string
	Env        []string
	User       string
	WorkingDir string
	Ports      []string
	Volumes    []string
	StopSignal string
}

// File is one entry of an image. Exactly one of Content, Source, Link and Dir is
// meant.
type File struct {
	// Path is absolute in the image.
	Path string
	// Mode is the permission bits, as in 0o755; it is ignored for links.
	Mode int64
	// UID and GID own the entry.
	UID, GID int
	// Content is the file's content.
	Content string
	// Source is a file of this machine to copy. Where it lies says nothing about
	// the image: two clones of this repository make the same.
	Source string `json:"-"`
	// Link is what a symbolic link points to.
	Link string
	// Dir makes a folder.
	Dir bool
}

// References lists the full names with tags that the image is served under.
func (r Recipe) References() []string {
	var refs []string
	for _, tag := range r.Tags {
		refs = append(refs, r.Repository+":"+tag)
	}
	return refs
}

// key names the recipe and the content of everything it copies from this machine.
// Versions of Debian packages are not part of it: looking them up would need the
// network each time.
func (r Recipe) key() (string, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "format %d %s\n", format, runtime.GOARCH)
	for _, part := range []any{r, base} {
		raw, err := json.Marshal(part)
		if err != nil {
			return "", fmt.Errorf("describing image %s: %w", r.Repository, err)
		}
		hash.Write(raw)
	}
	for _, file := range r.Files {
		if file.Source == "" {
			continue
		}
		if err := hashFile(hash, file.Source); err != nil {
			return "", fmt.Errorf("describing image %s: %w", r.Repository, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func hashFile(to io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(to, file)
	return err
}
