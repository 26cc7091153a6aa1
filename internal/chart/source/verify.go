package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/provenance"
)

// Signature is a signature of a chart that holds.
type Signature struct {
	// SignedBy are the identities of the key: "Name (comment) <address>".
	SignedBy []string
	// Fingerprint of the key, in hexadecimal.
	Fingerprint string
	// Hash of the archive, such as "sha256:...".
	Hash string
}

// VerifyFile checks the signature of an archive, which is in the file beside
// it with .prov at the end of its name, with the keys of a keyring.
func VerifyFile(path, keyring string) (*Signature, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, notOnDisk(path)
	case info.IsDir():
		return nil, diag.Problem{Summary: fmt.Sprintf("%s is a folder, and only archives (.tgz) are signed", path), Detail: "unpacked charts cannot be verified"}
	case !strings.EqualFold(filepath.Ext(path), ".tgz"):
		return nil, diag.Problem{Summary: fmt.Sprintf("%s is not a .tgz file, and only those are signed", path)}
	}
	signed, err := os.ReadFile(path + ".prov")
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("there is no signature of %s", path), Detail: err.Error()}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("%s cannot be read", path), Detail: err.Error()}
	}
	return verify(data, signed, filepath.Base(path), keyring)
}

func verify(data, signed []byte, name, keyring string) (*Signature, error) {
	keys, err := provenance.NewFromKeyring(keyring, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("the keyring %s is not there, so that the signature of %s cannot be checked", keyring, name),
			Detail:  "name the file of the public keys with --keyring (`gpg --export > FILE` writes one)",
		}
	}
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("the keyring %s cannot be read", keyring), Detail: err.Error()}
	}
	found, err := keys.Verify(data, signed, name)
	if err != nil {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("the signature of %s does not hold", name),
			Detail:  fmt.Sprintf("%v (checked with the keys of %s)", err, keyring),
		}
	}
	s := &Signature{Fingerprint: fmt.Sprintf("%X", found.SignedBy.PrimaryKey.Fingerprint), Hash: found.FileHash}
	for name := range found.SignedBy.Identities {
		s.SignedBy = append(s.SignedBy, name)
	}
	slices.Sort(s.SignedBy)
	return s, nil
}

// String is what Helm prints of a signature.
func (s *Signature) String() string {
	var b strings.Builder
	for _, name := range s.SignedBy {
		fmt.Fprintf(&b, "Signed by: %s\n", name)
	}
	fmt.Fprintf(&b, "Using Key With Fingerprint: %s\nChart Hash Verified: %s\n", s.Fingerprint, s.Hash)
	return b.String()
}

func sorted(words []string) []string {
	slices.Sort(words)
	return words
}
