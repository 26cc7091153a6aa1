package kube

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
)

// discoveryCache keeps discovery documents on disk with the ETag under which
// the API server gave them. It is asked on every run whether they still hold
// (a document that is out of date would render a chart without the objects
// whose kinds came since), so a cache saves bytes, never a request. A nil
// cache keeps nothing; a file that cannot be read or written is no error.
type discoveryCache struct{ dir string }

type keptDocument struct {
	etag string
	body []byte
}

// newDiscoveryCache gives each server and user a folder of its own.
func newDiscoveryCache(dir string, target Target, cfg *rest.Config) *discoveryCache {
	if dir == "" {
		return nil
	}
	h := sha256.New()
	for _, part := range []string{target.Address, target.Context, cfg.Username, cfg.Impersonate.UserName,
		cfg.CertFile, cfg.CAFile, string(cfg.CAData), string(cfg.CertData)} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return &discoveryCache{dir: filepath.Join(dir, hex.EncodeToString(h.Sum(nil)[:12]))}
}

func (d *discoveryCache) file(path string) string {
	return filepath.Join(d.dir, strings.Trim(path, "/")+".json")
}

// load gives the zero value when nothing is kept. The file is the ETag, a
// newline, the document.
func (d *discoveryCache) load(path string) keptDocument {
	if d == nil {
		return keptDocument{}
	}
	content, err := os.ReadFile(d.file(path))
	if err != nil {
		return keptDocument{}
	}
	etag, body, ok := bytes.Cut(content, []byte("\n"))
	if !ok || len(body) == 0 {
		return keptDocument{}
	}
	return keptDocument{etag: string(etag), body: body}
}

// store replaces the file in one step, so that a run beside us reads the old
// one or the new one.
func (d *discoveryCache) store(path, etag string, body []byte) {
	if d == nil || etag == "" || os.MkdirAll(d.dir, 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(d.dir, "new-*")
	if err != nil {
		return
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append([]byte(etag+"\n"), body...))
	if f.Close() == nil && err == nil {
		_ = os.Rename(f.Name(), d.file(path)) // failing to keep it costs the next run a download
	}
}
