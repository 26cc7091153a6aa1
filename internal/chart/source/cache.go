package source

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// The kinds of files in the cache of contents, by the ends of their names.
const (
	chartFile      = ".chart"
	provenanceFile = ".prov"
)

// digestOf is the digest of data as indexes write it.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// plainDigest takes the name of the algorithm off a digest; empty when it is
// not one of SHA-256.
func plainDigest(digest string) string {
	if name, rest, found := strings.Cut(digest, ":"); found {
		if name != "sha256" {
			return ""
		}
		digest = rest
	}
	if data, err := hex.DecodeString(digest); err != nil || len(data) != sha256.Size {
		return ""
	}
	return strings.ToLower(digest)
}

// cached is where Helm keeps what has that digest.
func (c *Client) cached(digest, kind string) string {
	return filepath.Join(c.ContentCache, digest[:2], digest+kind)
}

// fromCache reads a chart that was fetched before. What does not have its
// digest is not used.
func (c *Client) fromCache(digest string) ([]byte, bool) {
	if digest == "" {
		return nil, false
	}
	data, err := os.ReadFile(c.cached(digest, chartFile))
	return data, err == nil && digestOf(data) == digest
}

// keep puts data into the cache and returns its path.
func (c *Client) keep(digest, kind string, data []byte) (string, error) {
	path := c.cached(digest, kind)
	return path, writeFile(path, data, 0o644)
}
