package sourcetest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// tokens are those that were given out, each for some scopes.
type tokens struct {
	mu    sync.Mutex
	given map[string][]string
}

// withToken has a registry want a token of each request, as the distribution
// protocol has it: it answers 401 with where tokens are given out and for what,
// and takes a token that was given for that.
func (s *Server) withToken(t TB, h http.Handler, o Options) http.Handler {
	t.Helper()
	all := &tokens{given: map[string][]string{}}
	s.Tokens = serve(t, http.HandlerFunc(all.give), Options{TLS: o.TLS, User: o.User, Password: o.Password})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scope := scopeOf(r)
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if all.allow(token, scope) {
			h.ServeHTTP(w, r)
			return
		}
		challenge := fmt.Sprintf(`Bearer realm="%s/token",service="charts"`, s.Tokens.URL)
		if scope != "" {
			challenge += fmt.Sprintf(`,scope=%q`, scope)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
	})
}

// give answers with a token for the scopes that are asked for.
func (t *tokens) give(w http.ResponseWriter, r *http.Request) {
	token := rand.Text()
	t.mu.Lock()
	t.given[token] = r.URL.Query()["scope"]
	t.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 300}) // who has left does not read it
}

// allow tells a token that was given for all that a scope asks for.
func (t *tokens) allow(token, scope string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	given, known := t.given[token]
	if !known || scope == "" {
		return known
	}
	at := strings.LastIndexByte(scope, ':')
	for _, g := range given {
		if actions, same := strings.CutPrefix(g, scope[:at+1]); same && within(scope[at+1:], actions) {
			return true
		}
	}
	return false
}

func within(wanted, given string) bool {
	for _, action := range strings.Split(wanted, ",") {
		if !strings.Contains(","+given+",", ","+action+",") {
			return false
		}
	}
	return true
}

// scopeOf is what a request needs; empty for the question whether this is a registry.
func scopeOf(r *http.Request) string {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	for _, part := range []string{"/manifests/", "/blobs/", "/tags/"} {
		if name, _, found := strings.Cut(path, part); found {
			if r.Method == http.MethodGet || r.Method == http.MethodHead {
				return "repository:" + name + ":pull"
			}
			return "repository:" + name + ":pull,push"
		}
	}
	return ""
}
