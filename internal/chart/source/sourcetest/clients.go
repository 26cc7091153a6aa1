package sourcetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http/httptest"
	"path/filepath"
	"time"
)

// wantClients has a server turn away whoever shows no certificate of its own
// authority, and makes one that it accepts.
func (s *Server) wantClients(t TB, server *httptest.Server) {
	t.Helper()
	var authority *x509.Certificate
	s.CertFile, s.KeyFile, authority = Client(t, t.TempDir())
	known := x509.NewCertPool()
	known.AddCert(authority)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known, MinVersion: tls.VersionTLS12}
}

// Client writes a client's certificate and its key into a folder, as client.pem
// and client-key.pem, and returns the authority that has signed it.
func Client(t TB, folder string) (certificate, key string, authority *x509.Certificate) {
	t.Helper()
	parent, signer := certify(t, "the clients' CA", nil, nil)
	child, own := certify(t, "a client", parent, signer)
	raw, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatalf("writing a key: %v", err)
	}
	certificate, key = filepath.Join(folder, "client.pem"), filepath.Join(folder, "client-key.pem")
	write(t, certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: child.Raw}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
	return certificate, key, parent
}

// certify makes a key and a certificate for it: an authority's own without a parent.
func certify(t TB, name string, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if parent == nil {
		parent, signer = template, key
		template.IsCA, template.KeyUsage, template.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatalf("making a certificate: %v", err)
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatalf("reading a certificate: %v", err)
	}
	return made, key
}
