package sourcetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Chart writes the archive NAME-VERSION.tgz of a small chart into a folder and
// returns its path. Further files go into it by their path in the chart.
func Chart(t TB, folder, name, version string, files map[string]string) string {
	t.Helper()
	all := map[string]string{
		"Chart.yaml":          fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\nappVersion: v%s\ndescription: The chart %s\nkeywords: [demo]\n", name, version, version, name),
		"values.yaml":         "mode: plain # as it is written\n",
		"README.md":           "# " + name + "\n",
		"templates/mode.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-" + name + "\ndata:\n  mode: {{ .Values.mode }}\n  version: {{ .Chart.Version | quote }}\n",
	}
	maps.Copy(all, files)
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipped)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		head := &tar.Header{Name: name + "/" + path, Mode: 0o644, Size: int64(len(all[path])), ModTime: time.Unix(1e9, 0)}
		if err := archive.WriteHeader(head); err != nil {
			t.Fatalf("%v", err)
		}
		if _, err := archive.Write([]byte(all[path])); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	path := filepath.Join(folder, fmt.Sprintf("%s-%s.tgz", name, version))
	write(t, path, packed.Bytes())
	return path
}

// Keys makes a PGP key of a name and writes it into a folder: secret.gpg, whose
// passphrase is the one given if it is not empty, and public.gpg.
func Keys(t TB, folder, name, passphrase string) (secret, public string) {
	t.Helper()
	key, err := openpgp.NewEntity(name, "for tests", "test@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	var private, open bytes.Buffer
	if err := key.Serialize(&open); err != nil {
		t.Fatalf("writing a key: %v", err)
	}
	if passphrase != "" {
		if err := key.EncryptPrivateKeys([]byte(passphrase), nil); err != nil {
			t.Fatalf("locking a key: %v", err)
		}
	}
	if err := key.SerializePrivateWithoutSigning(&private, nil); err != nil {
		t.Fatalf("writing a key: %v", err)
	}
	secret, public = filepath.Join(folder, "secret.gpg"), filepath.Join(folder, "public.gpg")
	write(t, secret, private.Bytes())
	write(t, public, open.Bytes())
	return secret, public
}

// OtherCA writes a certificate authority that has signed nothing.
func OtherCA(t TB, folder string) string {
	t.Helper()
	other, _ := certify(t, "another CA", nil, nil)
	path := filepath.Join(folder, "other-ca.pem")
	write(t, path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Raw}))
	return path
}
