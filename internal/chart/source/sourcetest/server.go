package sourcetest

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Options of a server.
type Options struct {
	// TLS serves https with a certificate of its own; see Server.CAFile.
	TLS bool
	// User and Password are wanted from everybody, where they are set.
	User, Password string
	// Tokens has the server want a token of each request instead of the login,
	// which goes to a server of its own that gives tokens out: Server.Tokens.
	Tokens bool
	// Clients has the server want a certificate of its clients: Server.CertFile.
	// It needs TLS.
	Clients bool
	// Wrap goes around what is served, inside the check of the login.
	Wrap func(http.Handler) http.Handler
}

// Request is one that a server got.
type Request struct {
	Method, Path string
	// User and Password are the login that came with it; Login tells whether
	// there was one.
	User, Password string
	Login          bool
	// Header is the whole head.
	Header http.Header
}

// Server is a chart repository or a registry.
type Server struct {
	// URL is its address; Host is the host and port in it.
	URL, Host string
	// CAFile holds the certificate to trust; empty without TLS.
	CAFile string
	// CertFile and KeyFile are a client's certificate that the server accepts;
	// empty where it wants none.
	CertFile, KeyFile string
	// Tokens is the server that gives tokens out; nil where none are wanted.
	Tokens *Server

	mu       sync.Mutex
	requests []Request
}

// Repository serves the files of a folder over HTTP.
func Repository(t TB, folder string, o Options) *Server {
	return serve(t, http.FileServer(http.Dir(folder)), o)
}

// Registry serves an OCI registry that keeps everything in memory.
func Registry(t TB, o Options) *Server {
	return serve(t, registry.New(registry.Logger(log.New(io.Discard, "", 0))), o)
}

// Handler serves whatever a handler does.
func Handler(t TB, h http.Handler, o Options) *Server { return serve(t, h, o) }

func serve(t TB, h http.Handler, o Options) *Server {
	t.Helper()
	s := &Server{}
	if o.Wrap != nil {
		h = o.Wrap(h)
	}
	switch {
	case o.Tokens:
		h = s.withToken(t, h, o)
	default:
		h = loggedIn(h, o)
	}
	server := httptest.NewUnstartedServer(s.noting(h))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that distrust us
	if o.Clients {
		s.wantClients(t, server)
	}
	if o.TLS {
		server.StartTLS()
		s.CAFile = filepath.Join(t.TempDir(), "ca.pem")
		write(t, s.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	s.URL = server.URL
	_, s.Host, _ = strings.Cut(server.URL, "://")
	return s
}

// OCI is the server's address for charts of a registry.
func (s *Server) OCI(path string) string { return "oci://" + s.Host + "/" + path }

func (s *Server) noting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, login := r.BasicAuth()
		s.mu.Lock()
		s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.Path, User: user, Password: password, Login: login, Header: r.Header.Clone()})
		s.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

// Requests are those that came so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request{}, s.requests...)
}

func loggedIn(h http.Handler, o Options) http.Handler {
	if o.User == "" {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != o.User || password != o.Password {
			w.Header().Set("WWW-Authenticate", `Basic realm="charts"`)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}`)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func write(t TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatalf("%v", err)
	}
}
