// Package packing makes charts: new ones from a pattern, and archives, signed
// or not, from folders.
package packing

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/pintle-dev/pintle/internal/diag"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/provenance"
	"sigs.k8s.io/yaml"
)

// Options say how a chart's folder becomes an archive.
type Options struct {
	// Version and AppVersion go in place of those of Chart.yaml, where given.
	Version, AppVersion string
	// Destination is the folder that the archive goes into, "." for this one.
	Destination string
	// Epoch is the time of all files in the archive; nil for their own.
	Epoch *time.Time
	// Sign is the key to sign with; nil leaves it unsigned.
	Sign *Signing
}

// Signing is the key that an archive is signed with.
type Signing struct {
	// Key is a part of its name, Keyring the file of secret keys.
	Key, Keyring string
	// Passphrase is asked for when the key has one.
	Passphrase func(key string) ([]byte, error)
}

// Pack makes an archive of a chart's folder and returns its path.
func Pack(folder string, o Options) (string, error) {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return "", diag.Problem{Summary: fmt.Sprintf("there is no folder %s", folder), Detail: "the folder of a chart is packed"}
	}
	c, err := loader.LoadDir(folder)
	if err != nil {
		return "", diag.Problem{Summary: fmt.Sprintf("chart %q cannot be read", folder), Detail: err.Error()}
	}
	if o.Version != "" {
		c.Metadata.Version = o.Version
	}
	if o.AppVersion != "" {
		c.Metadata.AppVersion = o.AppVersion
	}
	if _, err := semver.NewVersion(c.Metadata.Version); err != nil {
		return "", diag.Problem{Summary: fmt.Sprintf("the version %q is not one of the form 1.2.3", c.Metadata.Version), Detail: err.Error()}
	}
	if o.Epoch != nil {
		c.StampModTimes(*o.Epoch)
	}
	if lacks := missing(c); len(lacks) > 0 {
		return "", diag.Problem{
			Summary: fmt.Sprintf("chart %s lacks %s in charts/", c.Name(), strings.Join(lacks, ", ")),
			Detail:  "fetch what Chart.yaml asks for with `pintle dependency build`, or add --dependency-update",
			File:    filepath.Join(folder, "Chart.yaml"),
		}
	}
	into := o.Destination
	if into == "." || into == "" {
		if into, err = os.Getwd(); err != nil {
			return "", fmt.Errorf("packing: %w", err)
		}
	}
	signer, err := o.Sign.signer() // a wrong passphrase leaves nothing behind
	if err != nil {
		return "", err
	}
	path, err := util.Save(c, into)
	if err != nil {
		return "", diag.Problem{Summary: fmt.Sprintf("chart %s cannot be packed", c.Name()), Detail: err.Error()}
	}
	if signer != nil {
		if err := sign(path, signer); err != nil {
			return "", err
		}
	}
	return path, nil
}

func missing(c *helmchart.Chart) []string {
	present := map[string]bool{}
	for _, sub := range c.Dependencies() {
		present[sub.Name()] = true
	}
	var out []string
	for _, d := range c.Metadata.Dependencies {
		if !present[d.Name] {
			out = append(out, d.Name)
		}
	}
	return out
}

// signer is the opened key; nil where nothing is signed.
func (s *Signing) signer() (*provenance.Signatory, error) {
	if s == nil {
		return nil, nil
	}
	signer, err := provenance.NewFromKeyring(s.Keyring, s.Key)
	if err == nil && signer.Entity == nil {
		err = fmt.Errorf("it has no key named %q", s.Key)
	}
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("there is no key to sign with in %s", s.Keyring), Detail: err.Error()}
	}
	if err := signer.DecryptKey(s.Passphrase); err != nil {
		if found := diag.Problems(err); found != nil {
			return nil, found
		}
		return nil, diag.Problem{Summary: fmt.Sprintf("the key %q of %s cannot be used", s.Key, s.Keyring), Detail: err.Error()}
	}
	return signer, nil
}

// sign writes the signature of an archive beside it.
func sign(path string, signer *provenance.Signatory) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("signing %s: %w", path, err)
	}
	// As in Helm, what is signed is the metadata of the archive as it is read again.
	c, err := loader.LoadArchive(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("signing %s: %w", path, err)
	}
	metadata, err := yaml.Marshal(c.Metadata)
	if err != nil {
		return fmt.Errorf("signing %s: %w", path, err)
	}
	signature, err := signer.ClearSign(data, filepath.Base(path), metadata)
	if err != nil {
		return diag.Problem{Summary: path + " cannot be signed", Detail: err.Error()}
	}
	if err := os.WriteFile(path+".prov", []byte(signature), 0o644); err != nil {
		return errors.Join(fmt.Errorf("signing %s: %w", path, err), os.Remove(path))
	}
	return nil
}
