package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"
)

func TestIssue(t *testing.T) {
	now := time.Now()
	authority, err := NewAuthority("test-ca", now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(Subject{User: "jane", Groups: []string{"ops"}, Hosts: []string{"10.0.0.1", "db.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tls.X509KeyPair(pair.Cert, pair.Key); err != nil {
		t.Fatalf("certificate and key do not fit: %v", err)
	}
	block, _ := pem.Decode(pair.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Cert)
	for _, host := range []string{"10.0.0.1", "db.example"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: now}); err != nil {
			t.Errorf("as server %s: %v", host, err)
		}
	}
	clients := x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := cert.Verify(clients); err != nil {
		t.Errorf("as client: %v", err)
	}
	if cert.Subject.String() != "CN=jane,O=ops" {
		t.Errorf("subject is %s", cert.Subject)
	}
}

func TestClientCertificateDoesNotServe(t *testing.T) {
	now := time.Now()
	authority, err := NewAuthority("test-ca", now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(Subject{User: "jane"})
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(pair.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Cert)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now}); err == nil {
		t.Error("a certificate without hosts passes as a server's")
	}
}
